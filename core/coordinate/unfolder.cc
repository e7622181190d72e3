#include "core/coordinate/unfolder.h"

#include <algorithm>

#include "core/base/status_macros.h"

namespace clm {

// Children have smaller ids, so their expansions are in the arena before anyone asks.
Unfolder::Unfolder(const Universe& universe) {
  const uint32_t vocab_size = universe.vocab_size();
  offsets_.resize(size_t{vocab_size} + 1);
  for (SymbolId id = 0; id < vocab_size; ++id) offsets_[size_t{id} + 1] = offsets_[id] + universe.Length(id);
  arena_.resize(offsets_.back());
  for (SymbolId id = 0; id < universe.base_size(); ++id) arena_[id] = id;
  for (SymbolId id = universe.base_size(); id < vocab_size; ++id) {
    const SymbolPair pair = universe.Children(id);
    const auto left = Expansion(pair.left);
    const auto right = Expansion(pair.right);
    const auto middle = std::copy(left.begin(), left.end(), arena_.begin() + static_cast<ptrdiff_t>(offsets_[id]));
    std::copy(right.begin(), right.end(), middle);
  }
}

absl::Status Unfolder::Unfold(std::span<const SymbolId> ids, std::vector<SymbolId>& out) const {
  CLM_RETURN_IF_ERROR(Universe::CheckIds(ids, static_cast<uint32_t>(offsets_.size() - 1)));
  uint64_t length = 0;
  for (const SymbolId id : ids) length += offsets_[size_t{id} + 1] - offsets_[id];
  size_t at = out.size();
  out.resize(out.size() + length);
  for (const SymbolId id : ids) {
    const auto expansion = Expansion(id);
    std::copy(expansion.begin(), expansion.end(), out.begin() + static_cast<ptrdiff_t>(at));
    at += expansion.size();
  }
  return absl::OkStatus();
}

}  // namespace clm
