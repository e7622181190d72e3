// PieceMerger: the ids of one piece, by merging its lowest-ranked pair (leftmost on ties) until none is left.
//
// Short pieces scan an array for the lowest rank, long ones keep a heap of pairs over a linked list; both give what
// BpeEncodeReference gives. Thread-safety: one thread per merger; the vocabulary must outlive it.
// Cost: O(n log n) table look-ups for n bytes, without recursion. Memory: 28 bytes per byte of a long piece, given back
// after pieces over 1 MiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/tokenizer/bpe_vocab.h"

namespace clm {

inline constexpr size_t kMaxBpePieceBytes = size_t{1} << 30;

class PieceMerger {
 public:
  explicit PieceMerger(const BpeVocab& vocab) : vocab_(vocab) {}

  // Appends the ids of `piece`. Requires at most kMaxBpePieceBytes bytes.
  void Merge(absl::string_view piece, std::vector<SymbolId>& out);

 private:
  void MergeShort(absl::string_view piece, std::vector<SymbolId>& out) const;
  void MergeLong(absl::string_view piece, std::vector<SymbolId>& out);
  void FillList(absl::string_view piece);
  // Heap entry of the pair that begins at `position`; kNoPair when it does not merge.
  uint64_t EntryAt(uint32_t position) const;
  void PushPairAt(uint32_t position);
  void MergePairAt(uint32_t position);

  const BpeVocab& vocab_;
  // The long piece: symbol at each byte where one begins, and its neighbours.
  std::vector<SymbolId> ids_;
  std::vector<uint32_t> next_;
  std::vector<uint32_t> previous_;
  std::vector<uint64_t> heap_;  // rank << 32 | position, smallest first; entries may be out of date
};

}  // namespace clm
