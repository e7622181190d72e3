#include "core/tokenizer/token_adjacency.h"

#include <algorithm>

namespace clm {

TokenAdjacency::TokenAdjacency(const BpeVocab& vocab) : vocab_(vocab), passes_(vocab.merges().size()) {
  for (const BpeMerge& merge : vocab.merges()) {
    passes_.Add(merge.left, merge.right, vocab.FindMerge(merge.left, merge.right)->rank + 1);
  }
  in_order_ = IsInOrder();
  if (!in_order_) return;
  histories_.resize(vocab.size());
  for (int byte = 0; byte < 256; ++byte) histories_[vocab.ByteId(static_cast<uint8_t>(byte))].made_at = 0;
  for (const BpeMerge& merge : vocab.merges()) {
    History& history = histories_[merge.result];
    if (history.made_at != kNever || !IsReachable(merge.left) || !IsReachable(merge.right)) continue;
    const uint32_t pass = PassOf(merge.left, merge.right);
    if (Fits(merge.left, merge.right, pass)) history = {merge.left, merge.right, pass};
  }
}

bool TokenAdjacency::IsInOrder() const {
  std::vector<uint32_t> last_made(vocab_.size(), 0);  // the highest pass that makes a token
  for (const BpeMerge& merge : vocab_.merges()) {
    last_made[merge.result] = std::max(last_made[merge.result], PassOf(merge.left, merge.right));
  }
  return std::all_of(vocab_.merges().begin(), vocab_.merges().end(), [&](const BpeMerge& merge) {
    const uint32_t pass = PassOf(merge.left, merge.right);
    return pass > last_made[merge.left] && pass > last_made[merge.right];
  });
}

bool TokenAdjacency::Fits(SymbolId left, SymbolId right, uint32_t until) const {
  uint32_t left_until = until;
  uint32_t right_until = until;
  while (true) {
    // In one pass the leftmost pair goes first: the left token is used up before the pair at the border has its turn.
    const uint32_t pass = PassOf(left, right);
    if (pass < left_until && pass <= right_until) return false;
    const History& left_history = histories_[left];
    const History& right_history = histories_[right];
    if (left_history.made_at > right_history.made_at) {
      left_until = left_history.made_at;
      left = left_history.right;
    } else if (right_history.made_at != 0) {
      right_until = right_history.made_at;
      right = right_history.left;
    } else {
      return true;  // two bytes
    }
  }
}

}  // namespace clm
