// The small language of the coordinate tests: universes by hand and by chance, streams by chance.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/rng.h"
#include "core/coordinate/symbol_stream.h"
#include "core/coordinate/universe.h"
#include "core/coordinate/universe_builder.h"

namespace clm::testing {

using Pairs = std::vector<SymbolPair>;
using Ids = std::vector<SymbolId>;
using Starts = std::vector<uint8_t>;
using Symbols = std::vector<PackedSymbol>;

inline Universe MakeUniverse(uint32_t base_size, const std::vector<Pairs>& layers, Ids boundaries = {},
                             JoinRule rule = JoinRule::kAny) {
  std::vector<UniverseLayer> all;
  for (const Pairs& pairs : layers) all.push_back({.rule = rule, .pairs = pairs});
  auto universe = Universe::Create(base_size, std::move(boundaries), std::move(all));
  CLM_CHECK(universe.ok());
  return *std::move(universe);
}

// `max_layers` layers or fewer, up to `max_pairs` random pairs in each, of symbols that exist by then.
inline Universe RandomUniverse(CounterRng& rng, uint32_t base_size, uint64_t max_layers, uint64_t max_pairs,
                               const std::vector<JoinRule>& rules = {JoinRule::kAny}) {
  std::vector<UniverseLayer> layers;
  SymbolId next = base_size;
  const uint64_t layer_count = 1 + rng.NextBelow(max_layers);
  for (uint64_t l = 0; l < layer_count; ++l) {
    std::set<std::pair<SymbolId, SymbolId>> pairs;
    const uint64_t wanted = 1 + rng.NextBelow(max_pairs);
    for (uint64_t i = 0; i < wanted; ++i) {
      pairs.insert({static_cast<SymbolId>(rng.NextBelow(next)), static_cast<SymbolId>(rng.NextBelow(next))});
    }
    UniverseLayer layer = {.rule = rules[rng.NextBelow(rules.size())], .pairs = {}};
    for (const auto& [left, right] : pairs) layer.pairs.push_back({left, right});
    next += static_cast<SymbolId>(layer.pairs.size());
    layers.push_back(std::move(layer));
  }
  auto universe = Universe::Create(base_size, {}, std::move(layers));
  CLM_CHECK(universe.ok());
  return *std::move(universe);
}

inline Ids RandomIds(CounterRng& rng, uint32_t bound, uint64_t max_length) {
  Ids ids(rng.NextBelow(max_length + 1));
  for (SymbolId& id : ids) id = static_cast<SymbolId>(rng.NextBelow(bound));
  return ids;
}

inline Starts RandomStarts(CounterRng& rng, size_t length) {
  Starts starts(length);
  for (uint8_t& start : starts) start = rng.NextBelow(3) == 0 ? 1 : 0;
  if (!starts.empty()) starts[0] = 1;
  return starts;
}

inline LearnedUniverse Learn(const UniverseOptions& options, uint32_t base_size, const std::vector<Ids>& documents,
                             const Ids& boundaries = {}, size_t threads = 1) {
  auto builder = UniverseBuilder::Create(options, base_size, boundaries);
  CLM_CHECK(builder.ok());
  for (const Ids& document : documents) CLM_CHECK(builder->AddDocument(document).ok());
  ThreadPool pool(threads);
  auto learned = builder->Build(pool);
  CLM_CHECK(learned.ok());
  return *std::move(learned);
}

inline SymbolStream MakeStream(const Symbols& symbols, size_t chunk_symbols = SymbolStream::kDefaultChunkSymbols) {
  SymbolStream stream({.chunk_symbols = chunk_symbols});
  CLM_CHECK(stream.Append(symbols).ok());
  CLM_CHECK(stream.Seal().ok());
  return stream;
}

// In order, without lookaheads.
inline Symbols AllSymbols(const SymbolStream& stream) {
  ThreadPool pool(1);
  Symbols symbols;
  const auto append = [&](size_t, const SymbolChunk& chunk) {
    symbols.insert(symbols.end(), chunk.symbols.begin(), chunk.symbols.end() - kFoldLookahead);
    return absl::OkStatus();
  };
  CLM_CHECK(stream.Visit(0, stream.chunk_count(), pool, {}, append).ok());
  return symbols;
}

inline Pairs PairsOf(const Universe& universe, int layer) {
  const auto pairs = universe.Pairs(layer);
  return {pairs.begin(), pairs.end()};
}

// For failure messages: "2 layers: (0,1) | (3,3)(3,2)".
inline std::string Describe(const Universe& universe) {
  std::string text = absl::StrCat(universe.layer_count(), " layers:");
  for (int layer = 1; layer <= universe.layer_count(); ++layer) {
    absl::StrAppend(&text, layer == 1 ? " " : " | ");
    for (const SymbolPair& pair : universe.Pairs(layer)) absl::StrAppend(&text, "(", pair.left, ",", pair.right, ")");
  }
  return text;
}

}  // namespace clm::testing
