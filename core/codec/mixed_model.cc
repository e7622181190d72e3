#include "core/codec/mixed_model.h"

#include <algorithm>
#include <bit>

#include "core/predict/logistic_tables.h"

namespace clm {
namespace {

constexpr int kFractionBits = 10;

// Entry i is log2(1 + i / 2^kFractionBits) in units of 2^-16: one bit per squaring.
constexpr std::array<uint32_t, size_t{1} << kFractionBits> MakeLog2Table() {
  std::array<uint32_t, size_t{1} << kFractionBits> table{};
  for (size_t i = 0; i < table.size(); ++i) {
    uint64_t x = ((uint64_t{1} << kFractionBits) + i) << (31 - kFractionBits);  // 2^31 stands for 1
    uint32_t log2 = 0;
    for (int bit = 15; bit >= 0; --bit) {
      x = (x * x) >> 31;
      if (x >= uint64_t{1} << 32) {
        x >>= 1;
        log2 |= uint32_t{1} << bit;
      }
    }
    table[i] = log2;
  }
  return table;
}

constexpr std::array<uint32_t, size_t{1} << kFractionBits> kLog2 = MakeLog2Table();

int Log2Of(uint32_t x) {
  const int exponent = static_cast<int>(std::bit_width(x)) - 1;
  const uint32_t fraction =
      exponent >= kFractionBits ? x >> (exponent - kFractionBits) : x << (kFractionBits - exponent);
  return (exponent << 16) + static_cast<int>(kLog2[fraction & ((1U << kFractionBits) - 1)]);
}

constexpr int32_t kHalf = 1 << 15;
constexpr int kBias = 256;
constexpr int kEndRateShift = 5;
constexpr size_t kDeepest = 3;  // bytes into a symbol, beyond which places are alike

// How sure an opinion is: 0 to 5, and on which side.
size_t ConfidenceOf(int opinion) {
  const int size = std::abs(opinion);
  const size_t level = size < 64 ? 0 : size < 192 ? 1 : size < 448 ? 2 : size < 896 ? 3 : size < 1600 ? 4 : 5;
  return 2 * level + static_cast<size_t>(opinion < 0);
}

}  // namespace

int LogRatio(uint32_t a, uint32_t b) {
  constexpr int64_t kLn2 = 181704;  // 256 * ln 2 in units of 2^-10
  const int64_t ratio = (int64_t{Log2Of(a)} - Log2Of(b)) * kLn2 >> 26;
  return static_cast<int>(std::clamp<int64_t>(ratio, -kMaxOpinion, kMaxOpinion));
}

MixedModel::MixedModel(const SymbolTree& tree, uint32_t vocab_size, size_t raw_length)
    : tree_(tree),
      adaptive_(AdaptiveModelOptions::ForLength(raw_length)),
      bit_mixer_({256 * (kDeepest + 1), kConfidences * kConfidences}, {kHalf, kHalf, 0, 0, 0, 0}),
      end_mixer_({kDeepest + 1, kConfidences * kConfidences}, {kHalf, kHalf, 0}),
      by_path_(256 * (kDeepest + 1)),
      by_last_byte_(size_t{1} << 16),
      ends_(kEndPlaces, 32768),
      frequencies_(vocab_size),
      sums_(tree.order().size() + 1) {}

void MixedModel::LoadMasses(SymbolPredictor& predictor, size_t lane) {
  predictor.Frequencies(lane, frequencies_);
  uint32_t sum = 0;
  size_t place = 0;
  for (const SymbolId symbol : tree_.order()) {
    sum += frequencies_[symbol];
    sums_[++place] = sum;
  }
}

uint32_t MixedModel::PredictBit(uint32_t mass_of_one, uint32_t mass_of_zero, size_t depth) {
  const int model = LogRatio(mass_of_one, mass_of_zero);
  const int adaptive = adaptive_.stretched();
  OpinionMixer<kBitInputs>::Opinions opinions = {model, adaptive, 0, 0, 0, kBias};
  const std::span<const int16_t> more = adaptive_.opinions();
  for (size_t i = 0; i < kOpinions; ++i) opinions[2 + i] = more[i];
  const size_t place = std::min(depth, kDeepest) * 256 + adaptive_.path();
  const int mixed = bit_mixer_.Mix(opinions, {place, ConfidenceOf(model) * kConfidences + ConfidenceOf(adaptive)});
  const int by_path = by_path_.Refine(place, mixed);
  const int by_last_byte = by_last_byte_.Refine(last_byte_ * 256 + adaptive_.path(), mixed);
  const int probability = (2 * WideSquash(mixed) + by_path + by_last_byte) / 4;
  return static_cast<uint32_t>(std::clamp(probability, 1, 65535));
}

void MixedModel::LearnBit(int bit) {
  bit_mixer_.Update(bit);
  by_path_.Update(bit);
  by_last_byte_.Update(bit);
}

uint32_t MixedModel::PredictEnd(uint32_t mass_of_end, uint32_t mass_of_rest, SymbolId own, size_t depth) {
  const int model = LogRatio(mass_of_end, mass_of_rest);
  end_place_ = own % kEndPlaces;
  const int before = Stretch12(ends_[end_place_] >> 4);
  const std::array<size_t, 2> selectors = {std::min(depth, kDeepest),
                                           ConfidenceOf(model) * kConfidences + ConfidenceOf(before)};
  const int mixed = end_mixer_.Mix({model, before, kBias}, selectors);
  return static_cast<uint32_t>(std::clamp(WideSquash(mixed), 1, 65535));
}

void MixedModel::LearnEnd(int bit) {
  end_mixer_.Update(bit);
  uint16_t& end = ends_[end_place_];
  end = static_cast<uint16_t>(end + (((bit != 0 ? 65535 : 0) - end) >> kEndRateShift));
}

}  // namespace clm
