#include "core/coordinate/canonical.h"

#include <algorithm>
#include <utility>

#include "core/base/status_macros.h"

namespace clm {

CanonicalTest::CanonicalTest(const Universe& universe) : folder_(universe), universe_(universe) {
  const SymbolId base_size = universe_.base_size();
  layers_.resize(universe_.vocab_size());
  for (int layer = 1; layer <= universe_.layer_count(); ++layer) {
    const SymbolId first = universe_.FirstId(layer);
    std::fill_n(layers_.begin() + first, universe_.Pairs(layer).size(), static_cast<uint8_t>(layer));
  }
  older_.resize(universe_.vocab_size() - base_size, kNoSymbol);
  newest_.reserve(older_.size());
  for (SymbolId id = base_size; id < universe_.vocab_size(); ++id) {
    const SymbolPair pair = universe_.Children(id);
    const auto [entry, is_new] = newest_.try_emplace(PairKey(pair.left, pair.right), id);
    if (!is_new) older_[id - base_size] = std::exchange(entry->second, id);
  }
  for (SymbolId id = base_size; id < universe_.vocab_size(); ++id) {
    const SymbolPair pair = universe_.Children(id);
    const int layer = int{layers_[id]};
    const Question below = {.rule = universe_.Rule(layer), .last_layer = layer - 1};
    if (IsDead(pair.left) || IsDead(pair.right) || IsBad(pair.left, pair.right, below)) dead_symbols_.push_back(id);
  }
}

bool CanonicalTest::IsDead(SymbolId id) const {
  return std::binary_search(dead_symbols_.begin(), dead_symbols_.end(), id);
}

bool CanonicalTest::HoldsPair(SymbolId left, SymbolId right, int low_layer, int high_layer,
                              const Question& question) const {
  const auto found = newest_.find(PairKey(left, right));
  if (found == newest_.end()) return false;
  for (SymbolId id = found->second; id != kNoSymbol; id = older_[id - universe_.base_size()]) {
    const int layer = int{layers_[id]};
    const JoinRule rule = universe_.Rule(layer);
    const bool counts = rule == JoinRule::kAny || rule == question.rule;
    if (counts && layer >= low_layer && layer <= high_layer) return true;
  }
  return false;
}

// Walks down the right edge of `left` and the left edge of `right` together. Symbol a of the one edge stands there
// after layers LayerOf(a) .. a_top, symbol b of the other after layers LayerOf(b) .. b_top; the two meet as an unfolded
// pair in layer l if a was there before l and after it, and b before it.
bool CanonicalTest::IsBad(SymbolId left, SymbolId right, const Question& question) const {
  int a_top = question.last_layer;
  int b_top = question.last_layer;
  SymbolId a = left;
  SymbolId b = right;
  while (true) {
    const int a_layer = layers_[a];
    const int b_layer = layers_[b];
    const int low = std::max(a_layer, b_layer) + 1;
    const int high = std::min(a_top, std::min(b_top + 1, question.last_layer));
    if (low <= high && HoldsPair(a, b, low, high, question)) return true;
    if (a_layer == 0 && b_layer == 0) return false;
    // The edge whose symbol was made later goes down; on a tie the pair (a, first child of b) still has to be looked at
    // in the layer that made b, where a is new and therefore never bad: either order will do.
    if (a_layer > b_layer) {
      a_top = a_layer - 1;
      a = universe_.Children(a).right;
    } else {
      b_top = b_layer - 1;
      b = universe_.Children(b).left;
    }
  }
}

bool CanonicalTest::MayFollow(SymbolId left, SymbolId right, bool right_starts_pretoken) const {
  const JoinRule rule = right_starts_pretoken ? JoinRule::kAny : JoinRule::kWithinPretoken;
  return !IsBad(left, right, {.rule = rule, .last_layer = universe_.layer_count()});
}

void CanonicalTest::MarkAllowed(SymbolId left, std::span<uint8_t> allowed, bool right_starts_pretoken) const {
  for (SymbolId id = 0; id < allowed.size(); ++id) {
    allowed[id] = MayFollow(left, id, right_starts_pretoken) ? 1 : 0;
  }
  for (const SymbolId id : dead_symbols_) allowed[id] = 0;
}

absl::StatusOr<bool> CanonicalTest::IsCanonical(std::span<const SymbolId> ids,
                                                std::span<const uint8_t> pretoken_starts) const {
  CLM_RETURN_IF_ERROR(Universe::CheckIds(ids, universe_.vocab_size()));
  if (universe_.needs_pretoken_starts()) {
    std::vector<SymbolId> base;
    CLM_RETURN_IF_ERROR(universe_.Unfold(ids, base));
    CLM_ASSIGN_OR_RETURN(const std::vector<SymbolId> folded, folder_.Fold(base, pretoken_starts));
    return std::equal(folded.begin(), folded.end(), ids.begin(), ids.end());
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    if (IsDead(ids[i]) || (i > 0 && !MayFollow(ids[i - 1], ids[i]))) return false;
  }
  return true;
}

}  // namespace clm
