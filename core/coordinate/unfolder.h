// Unfolder: coordinates to base symbols, by copying from an arena of all expansions.
//
// Thread-safety: immutable. Ownership: independent of the Universe it was made from.
// Memory: four bytes for each base symbol of each expansion, bounded by UniverseLimits.max_total_length, and eight for
// each id.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "core/base/cancellation.h"
#include "core/base/thread_pool.h"
#include "core/base/types.h"
#include "core/coordinate/universe.h"

namespace clm {

class Unfolder {
 public:
  // Requires that all expansions together stay below 2^32 symbols, as the limits of universes see to.
  explicit Unfolder(const Universe& universe);

  // Base symbols of one id. Requires id < the universe's vocab_size().
  std::span<const SymbolId> Expansion(SymbolId id) const {
    return std::span(arena_).subspan(entries_[id].offset, entries_[id].length);
  }

  // Appends the base symbols of `ids` to `out`, with one allocation. OUT_OF_RANGE names position, id and vocabulary
  // size of the first unknown id and leaves `out` as it was.
  absl::Status Unfold(std::span<const SymbolId> ids, std::vector<SymbolId>& out) const;
  // The same on all threads of `pool`, for long inputs. Cancelled, it leaves `out` as it was.
  absl::Status Unfold(std::span<const SymbolId> ids, ThreadPool& pool, const CancellationToken& cancel,
                      std::vector<SymbolId>& out) const;

 private:
  struct Entry {
    uint32_t offset = 0;  // in the arena
    uint32_t length = 0;
  };

  // Base symbols of `ids`; all ones if an id is unknown.
  uint64_t LengthOf(std::span<const SymbolId> ids) const;
  // Writes exactly the base symbols of `ids` to `out`. Requires known ids and room for them.
  void Copy(std::span<const SymbolId> ids, std::span<SymbolId> out) const;

  std::vector<Entry> entries_;   // by id
  std::vector<SymbolId> arena_;  // with some symbols behind the last expansion
};

}  // namespace clm
