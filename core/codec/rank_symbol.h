// RankSymbol: one symbol of a text, told by what a predictor thought of it.
//
//   -1 - r   a hit: the symbol that the predictor put at rank r (0 is its first choice), r < top_k
//   id       a miss: a symbol ranked at top_k or later, told literally
//
// A sequence of these is all that a decoder with the same predictor needs. Source of the mapping: "A Compression View
// of Large Language Models", 2024, github.com/ijm/LLM-compression.
#pragma once

#include <cstdint>

#include "core/base/types.h"

namespace clm {

using RankSymbol = int32_t;

// Requires rank < 2^31.
constexpr RankSymbol HitOfRank(uint32_t rank) { return -1 - static_cast<RankSymbol>(rank); }
// Requires symbol < 2^31.
constexpr RankSymbol MissOfSymbol(SymbolId symbol) { return static_cast<RankSymbol>(symbol); }
constexpr bool IsHit(RankSymbol symbol) { return symbol < 0; }
// Requires IsHit(symbol).
constexpr uint32_t RankOfHit(RankSymbol symbol) { return static_cast<uint32_t>(-1 - symbol); }
// Requires !IsHit(symbol).
constexpr SymbolId SymbolOfMiss(RankSymbol symbol) { return static_cast<SymbolId>(symbol); }

// Which symbols there are. What is told as a miss need not be one: a symbol that no predictor was asked for (the first
// of a text, say) may be told literally too.
struct RankAlphabet {
  uint32_t vocab_size = 0;  // misses are below; range [1, 2^31]
  uint32_t top_k = 0;       // ranks are below; range [0, vocab_size]; 0: everything is a miss

  constexpr bool Contains(RankSymbol symbol) const {
    return IsHit(symbol) ? RankOfHit(symbol) < top_k : SymbolOfMiss(symbol) < vocab_size;
  }
  // Whether both are in range.
  constexpr bool IsValid() const { return vocab_size >= 1 && vocab_size <= (uint32_t{1} << 31) && top_k <= vocab_size; }

  friend bool operator==(const RankAlphabet&, const RankAlphabet&) = default;
};

}  // namespace clm
