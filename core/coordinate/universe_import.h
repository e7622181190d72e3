// Taking over a universe that was learned elsewhere.
//
// Thread-safety: functions without state.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/coordinate/universe.h"
#include "core/coordinate/universe_builder.h"
#include "core/coordinate/universe_file.h"

namespace clm {

// The base that documents have.
struct ImportTarget {
  uint32_t base_size = 0;
  std::vector<SymbolId> boundary_ids = {};
  // Fingerprint of the tokenizer, 64 hex digits; empty if the base is plain bytes.
  std::string tokenizer_sha256 = {};
};

// The universe of `file` for documents of `target`, to be used as it is or as what UniverseBuilder::CreateExtension()
// extends. A universe without boundaries takes on those of the target; ids never change.
// FAILED_PRECONDITION for another base size, tokenizer or other boundaries; INVALID_ARGUMENT if a coordinate contains a
// boundary of the target.
absl::StatusOr<LearnedUniverse> ImportUniverse(const UniverseFile& file, const ImportTarget& target);

struct ReducedUniverse {
  LearnedUniverse learned;
  // By id of the universe before: the new id, kNoSymbol if it was dropped.
  std::vector<SymbolId> new_ids;
};

// Without the coordinates of `unused` (ascending, as CoverageReport has them) and without layers that this empties: the
// same folds on the documents that the report was made of, with other ids. INVALID_ARGUMENT if a coordinate that stays
// needs one that goes.
absl::StatusOr<ReducedUniverse> DropUnused(const LearnedUniverse& learned, std::span<const SymbolId> unused);

}  // namespace clm
