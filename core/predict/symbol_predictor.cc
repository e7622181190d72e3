#include "core/predict/symbol_predictor.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace clm {
namespace {

std::vector<uint32_t> FrequenciesOf(SymbolPredictor& predictor, size_t lane) {
  std::vector<uint32_t> frequencies(predictor.vocab_size());
  predictor.Frequencies(lane, frequencies);
  return frequencies;
}

// Whether `a` comes before `b` in the order of likelihood.
bool IsLikelier(const std::vector<uint32_t>& frequencies, SymbolId a, SymbolId b) {
  return frequencies[a] != frequencies[b] ? frequencies[a] > frequencies[b] : a < b;
}

}  // namespace

SymbolInterval SymbolPredictor::Interval(size_t lane, SymbolId symbol) {
  const std::vector<uint32_t> frequencies = FrequenciesOf(*this, lane);
  return {.start = std::accumulate(frequencies.begin(), frequencies.begin() + symbol, uint32_t{0}),
          .frequency = frequencies[symbol]};
}

SymbolId SymbolPredictor::Find(size_t lane, uint32_t slot, SymbolInterval& interval) {
  const std::vector<uint32_t> frequencies = FrequenciesOf(*this, lane);
  SymbolId symbol = 0;
  interval = {.start = 0, .frequency = frequencies[0]};
  while (slot - interval.start >= interval.frequency) {
    interval.start += interval.frequency;
    interval.frequency = frequencies[++symbol];
  }
  return symbol;
}

uint32_t SymbolPredictor::RankOf(size_t lane, SymbolId symbol) {
  const std::vector<uint32_t> frequencies = FrequenciesOf(*this, lane);
  uint32_t rank = 0;
  for (SymbolId other = 0; other < frequencies.size(); ++other) {
    if (IsLikelier(frequencies, other, symbol)) ++rank;
  }
  return rank;
}

SymbolId SymbolPredictor::SymbolOfRank(size_t lane, uint32_t rank) {
  const std::vector<uint32_t> frequencies = FrequenciesOf(*this, lane);
  std::vector<SymbolId> symbols(frequencies.size());
  std::iota(symbols.begin(), symbols.end(), SymbolId{0});
  std::nth_element(symbols.begin(), symbols.begin() + rank, symbols.end(),
                   [&](SymbolId a, SymbolId b) { return IsLikelier(frequencies, a, b); });
  return symbols[rank];
}

void SymbolPredictor::AskLanes(size_t count, absl::FunctionRef<void(size_t)> ask) {
  for (size_t i = 0; i < count; ++i) ask(i);
}

void SymbolPredictor::UpdateLanes(std::span<const LaneUpdate> updates) {
  for (const LaneUpdate& update : updates) Update(update.lane, update.symbol);
}

void SymbolPredictor::ScoreLanes(std::span<const LaneText> texts) {
  for (const LaneText& text : texts) {
    for (size_t i = 0; i < text.symbols.size(); ++i) {
      text.intervals[i] = Interval(text.lane, text.symbols[i]);
      Update(text.lane, text.symbols[i]);
    }
  }
}

}  // namespace clm
