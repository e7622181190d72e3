#include "core/predict/adaptive/mixer.h"

#include <algorithm>

#include "core/predict/logistic_tables.h"

namespace clm {
namespace {

constexpr int kWeightShift = 14;
constexpr int16_t kFreshWeight = 1310;  // 0.08: with many inputs that agree, small weights are right
constexpr int kStepShift = 3;
constexpr int kSecondShift = 16;
constexpr int32_t kFreshSecondWeight = (1 << kSecondShift) / static_cast<int32_t>(Mixer::kSets);
constexpr int32_t kMaxSecondWeight = 1 << 20;
constexpr int kSecondRateShift = 2;

// No sum of the first layer leaves 32 bits.
static_assert(int64_t{kMaxMixerInputSum} * kMaxMixerWeight < (int64_t{1} << 31));

}  // namespace

[[gnu::noinline]] int32_t MixerSum(const MixerInputs& inputs, const MixerWeights& weights) {
  int32_t sum = 0;
  for (size_t i = 0; i < kMixerInputs; ++i) sum += inputs.values[i] * weights.values[i];
  return sum;
}

// Conditional expressions instead of std::clamp: on values, not references, or compilers do not vectorise the loop.
[[gnu::noinline]] void MoveMixerWeights(const MixerInputs& inputs, int16_t step, MixerWeights& weights) {
  const int16_t* const __restrict in = inputs.values.data();
  int16_t* const __restrict out = weights.values.data();
  for (size_t i = 0; i < kMixerInputs; ++i) {
    const auto high = static_cast<int16_t>((in[i] * step) >> 16);
    const auto move = static_cast<int16_t>(static_cast<int16_t>(high + 1) >> 1);
    auto weight = static_cast<int16_t>(out[i] + move);
    weight = weight < -kMaxMixerWeight ? static_cast<int16_t>(-kMaxMixerWeight) : weight;
    weight = weight > kMaxMixerWeight ? static_cast<int16_t>(kMaxMixerWeight) : weight;
    out[i] = weight;
  }
}

Mixer::Mixer(const std::array<size_t, kSets>& sizes) : second_weights_(kSecondLayerSets) {
  size_t total = 0;
  for (size_t k = 0; k < kSets; ++k) {
    begins_[k] = total;
    total += sizes[k];
  }
  weights_.resize(total);
  Reset();
}

void Mixer::Reset() {
  MixerWeights fresh;
  fresh.values.fill(kFreshWeight);
  std::fill(weights_.begin(), weights_.end(), fresh);
  std::array<int32_t, kSets> second{};
  second.fill(kFreshSecondWeight);
  std::fill(second_weights_.begin(), second_weights_.end(), second);
  inputs_ = {};
  chosen_ = begins_;
  chosen_second_ = 0;
  opinions_ = {};
  probability_ = 32768;
}

int Mixer::Mix(const std::array<size_t, kSets>& selectors, size_t second) {
  chosen_second_ = second;
  int64_t sum = 0;
  for (size_t k = 0; k < kSets; ++k) {
    chosen_[k] = begins_[k] + selectors[k];
    const int opinion =
        std::clamp(MixerSum(inputs_, weights_[chosen_[k]]) >> kWeightShift, -kMaxStretched, kMaxStretched);
    opinions_[k] = static_cast<int16_t>(opinion);
    sum += int64_t{opinion} * second_weights_[second][k];
  }
  const auto final =
      static_cast<int>(std::clamp<int64_t>(sum >> kSecondShift, -int64_t{kMaxFinal}, int64_t{kMaxFinal}));
  probability_ = WideSquash(final);
  return final;
}

void Mixer::Update(int bit) {
  const int target = bit << 16;
  const int second_error = (target - probability_) >> kSecondRateShift;
  for (size_t k = 0; k < kSets; ++k) {
    int32_t& weight = second_weights_[chosen_second_][k];
    const int move = (opinions_[k] * second_error + (1 << 15)) >> 16;  // below 2^11 * 2^14
    weight = std::clamp(weight + move, -kMaxSecondWeight, kMaxSecondWeight);
    const int step = ((target - WideSquash(opinions_[k])) * rate_) >> kStepShift;
    MoveMixerWeights(inputs_, static_cast<int16_t>(std::clamp(step, -32767, 32767)), weights_[chosen_[k]]);
  }
}

}  // namespace clm
