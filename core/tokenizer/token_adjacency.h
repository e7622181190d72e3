// TokenAdjacency: which two tokens can stand side by side in an encoding.
//
// Byte-pair merging can be seen as one pass over the text per rank, lowest first. Two neighbours in the result are
// neighbours all along: at no time did a merge cross the border between them. Whether one would is told by the two
// tokens alone, from the tokens that stood at the border through their histories. So a text has the one encoding whose
// neighbours all fit, and it can be found from left to right (van Antwerpen and Neubeck, "So many tokens, so little
// time", 2024).
//
// Holds only where passes are what merging is: every merge has a higher rank than all merges that make its operands.
// in_order() says whether the vocabulary is like that; if not, the rest of the class means nothing.
//
// Thread-safety: immutable. Ownership: must not outlive the vocabulary. Cost of Fits(): a look-up for each merge in the
// history of either token, at most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/types.h"
#include "core/tokenizer/bpe_vocab.h"

namespace clm {

class TokenAdjacency {
 public:
  explicit TokenAdjacency(const BpeVocab& vocab);

  bool in_order() const { return in_order_; }
  // Whether merging the bytes of `id` gives `id`; no encoding holds any other token.
  bool IsReachable(SymbolId id) const { return histories_[id].made_at != kNever; }
  // Requires reachable tokens.
  bool Fits(SymbolId left, SymbolId right) const { return Fits(left, right, kNever); }

 private:
  // How a token comes about: from two others in the pass of a rank. Passes count from 1; bytes are there at 0.
  struct History {
    SymbolId left = 0;
    SymbolId right = 0;
    uint32_t made_at = kNever;
  };
  static constexpr uint32_t kNever = UINT32_MAX;
  static constexpr int kFilterBits = 3;  // of the filter per place of merges_, as a power of two
  static_assert(kMaxBpeVocabSize <= 1U << 20 && kMaxBpeMerges < 1U << 24);

  static uint64_t PairOf(SymbolId left, SymbolId right) { return uint64_t{left} << 44 | uint64_t{right} << 24; }
  uint64_t HashOf(uint64_t pair) const { return (pair >> 24) * multiplier_; }
  // The pass that merges the two, or kNever.
  uint32_t PassOf(SymbolId left, SymbolId right) const {
    const uint64_t pair = PairOf(left, right);
    const uint64_t hash = HashOf(pair);
    const size_t bit = hash >> (shift_ - kFilterBits);
    if ((filter_[bit / 64] >> (bit % 64) & 1) == 0) return kNever;
    for (size_t place = hash >> shift_; merges_[place] != 0; place = (place + 1) & (merges_.size() - 1)) {
      if ((merges_[place] ^ pair) >> 24 == 0) return static_cast<uint32_t>(merges_[place] & 0xFFFFFF);
    }
    return kNever;
  }
  void AddMerges();
  bool IsInOrder() const;
  // Whether no merge crosses the border before the pass `until`, in which both tokens are used up.
  bool Fits(SymbolId left, SymbolId right, uint32_t until) const;

  const BpeVocab& vocab_;
  bool in_order_ = false;
  // Open addressing with linear probing: left << 44 | right << 24 | pass; 0: free.
  int shift_ = 0;
  uint64_t multiplier_;  // of the process: no file can choose its collisions
  std::vector<uint64_t> merges_;
  // A bit for each hash value of a merge: most questions are about pairs that do not merge.
  std::vector<uint64_t> filter_;
  std::vector<History> histories_;  // by id
};

}  // namespace clm
