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
#include "core/tokenizer/pair_ranks.h"

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
  static_assert(kNever == PairRanks::kNone);

  // The pass that merges the two, or kNever.
  uint32_t PassOf(SymbolId left, SymbolId right) const { return passes_.Find(left, right); }
  bool IsInOrder() const;
  // Whether no merge crosses the border before the pass `until`, in which both tokens are used up.
  bool Fits(SymbolId left, SymbolId right, uint32_t until) const;

  const BpeVocab& vocab_;
  bool in_order_ = false;
  PairRanks passes_;
  std::vector<History> histories_;  // by id
};

}  // namespace clm
