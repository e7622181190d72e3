// Unfolder: coordinates to base symbols, by copying from an arena of all expansions.
//
// Thread-safety: immutable. Ownership: independent of the Universe it was made from.
// Memory: four bytes for each base symbol of each expansion, bounded by UniverseLimits.max_total_length.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "core/base/types.h"
#include "core/coordinate/universe.h"

namespace clm {

class Unfolder {
 public:
  explicit Unfolder(const Universe& universe);

  // Base symbols of one id. Requires id < the universe's vocab_size().
  std::span<const SymbolId> Expansion(SymbolId id) const {
    return std::span(arena_).subspan(offsets_[id], offsets_[id + 1] - offsets_[id]);
  }

  // Appends the base symbols of `ids` to `out`, with one allocation. OUT_OF_RANGE names position, id and vocabulary
  // size of the first unknown id and leaves `out` as it was.
  absl::Status Unfold(std::span<const SymbolId> ids, std::vector<SymbolId>& out) const;

 private:
  std::vector<uint64_t> offsets_;  // expansion of id: arena_[offsets_[id], offsets_[id + 1])
  std::vector<SymbolId> arena_;
};

}  // namespace clm
