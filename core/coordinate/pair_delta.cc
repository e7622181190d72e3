#include "core/coordinate/pair_delta.h"

#include <cstddef>
#include <cstdint>

namespace clm {
namespace {

// Walks over the folds of one chunk.
class DeltaWalk {
 public:
  DeltaWalk(const SymbolChunk& chunk, JoinRule rule, PairKeys& removed, PairKeys& added)
      : chunk_(chunk), s_(chunk.symbols), size_(chunk.size()), rule_(rule), removed_(removed), added_(added) {}

  void TakeFirst() {
    Remove(0);
    end_ = 1;
    end_is_fold_ = true;
  }

  void Fold(const FoldMatch& match) {
    const size_t t = match.position;
    MoveTo(t);
    const bool adjacent = end_is_fold_ && t == end_;
    if (t > 0 && !adjacent) Remove(t - 1);
    Remove(t);
    Remove(t + 1);
    if (t > end_) {
      FinishFold();
      Add(s_[t - 1], match.symbol, s_[t + 2]);
    } else {
      Add(folded_, match.symbol, s_[t + 2]);
    }
    folded_ = match.symbol;
    end_ = t + 2;
    end_is_fold_ = true;
  }

  // The last fold and the symbol behind it.
  void FinishFold() {
    if (end_ < size_) Add(folded_, s_[end_], s_[end_ + 1]);
    folded_ = kPackedSeparator;
  }

 private:
  // Weights are by document; folds stay inside one.
  void MoveTo(size_t t) {
    if (chunk_.weights.empty()) return;
    for (; at_ < t; ++at_) {
      if (s_[at_] != kPackedSeparator) continue;
      FinishFold();
      ++document_;
    }
  }

  // The pair at i, if it is one of the chunk's.
  void Remove(size_t i) {
    if (i + 1 >= size_ || !RuleAllows(rule_, s_[i], s_[i + 1], s_[i + 2])) return;
    Emit(s_[i], s_[i + 1], removed_);
  }

  void Add(PackedSymbol left, PackedSymbol right, PackedSymbol next) {
    if (RuleAllows(rule_, left, right, next)) Emit(left, right, added_);
  }

  void Emit(PackedSymbol left, PackedSymbol right, PairKeys& keys) const {
    keys.Add(left & kIdMask, right & kIdMask);
    if (!chunk_.weights.empty()) keys.weights.push_back(chunk_.weights[document_]);
  }

  const SymbolChunk& chunk_;
  const std::vector<PackedSymbol>& s_;
  const size_t size_;
  const JoinRule rule_;
  PairKeys& removed_;
  PairKeys& added_;
  size_t end_ = 0;            // the first symbol behind the last fold
  bool end_is_fold_ = false;  // or behind the symbol that the chunk before took
  // The last fold, while the pair behind it is not known; otherwise a separator, which pairs with nothing.
  PackedSymbol folded_ = kPackedSeparator;
  size_t at_ = 0;
  size_t document_ = 0;
};

}  // namespace

void CollectPairDeltas(const SymbolChunk& chunk, JoinRule rule, bool first_is_taken, std::span<const FoldMatch> matches,
                       PairKeys& removed, PairKeys& added) {
  DeltaWalk walk(chunk, rule, removed, added);
  if (first_is_taken) walk.TakeFirst();
  for (const FoldMatch& match : matches) walk.Fold(match);
  walk.FinishFold();
}

void CollectEdgeDeltas(const SymbolStream::Edges& before, const SymbolStream::Edges& after, JoinRule rule,
                       PairKeys& removed, PairKeys& added) {
  // An empty chunk has no last symbol: the separator that stands for it lets nothing join.
  for (size_t i = 0; i < before.last.size(); ++i) {
    const bool was = RuleAllows(rule, before.last[i], before.next[i][0], before.next[i][1]);
    const bool is = RuleAllows(rule, after.last[i], after.next[i][0], after.next[i][1]);
    const bool same = before.last[i] == after.last[i] && before.next[i][0] == after.next[i][0];
    if (was && is && same) continue;
    if (was) removed.Add(before.last[i] & kIdMask, before.next[i][0] & kIdMask);
    if (is) added.Add(after.last[i] & kIdMask, after.next[i][0] & kIdMask);
  }
}

}  // namespace clm
