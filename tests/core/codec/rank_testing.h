// Sequences of ranks and misses that the tests of rank coders share.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "core/base/rng.h"
#include "core/codec/rank_symbol.h"

namespace clm::testing {

// Ranks as a good predictor gives them: half of them 0, ever fewer of the later ones, one miss in twenty.
inline std::vector<RankSymbol> ModelRanks(uint64_t seed, size_t count, const RankAlphabet& alphabet) {
  CounterRng rng(seed, "ranks", 0);
  std::vector<RankSymbol> symbols;
  while (symbols.size() < count) {
    const auto rank = static_cast<uint32_t>(std::min(1 / (1 - rng.NextDouble()) - 1, 1e9));
    if (rng.NextBelow(20) == 0 || rank >= alphabet.top_k) {
      symbols.push_back(MissOfSymbol(static_cast<SymbolId>(rng.NextBelow(alphabet.vocab_size))));
    } else {
      symbols.push_back(HitOfRank(rank));
    }
  }
  return symbols;
}

// Any symbols below `different`, all alike or skewed.
inline std::vector<RankSymbol> AnySymbols(CounterRng& rng, size_t count, uint32_t different) {
  std::vector<RankSymbol> symbols;
  const bool skewed = rng.NextBelow(2) == 0;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t bound = skewed ? 1 + rng.NextBelow(different) : different;
    const auto value = static_cast<uint32_t>(rng.NextBelow(bound));
    symbols.push_back(value % 2 == 0 ? HitOfRank(value / 2) : MissOfSymbol(value * 7));
  }
  return symbols;
}

// Bits of `symbols` by their own frequencies: what no static coder beats.
inline double IdealBits(std::span<const RankSymbol> symbols) {
  std::map<RankSymbol, double> counts;
  for (const RankSymbol symbol : symbols) ++counts[symbol];
  double bits = 0;
  for (const auto& [symbol, count] : counts) bits -= count * std::log2(count / static_cast<double>(symbols.size()));
  return bits;
}

}  // namespace clm::testing
