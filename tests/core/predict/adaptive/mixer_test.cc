#include "core/predict/adaptive/mixer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/base/rng.h"
#include "core/predict/logistic_tables.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

// floor(value / 2^bits), without shifts.
int64_t FloorDivide(int64_t value, int bits) {
  const int64_t divisor = int64_t{1} << bits;
  return value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor);
}

// The slow, obvious twins.
int64_t SumReference(const MixerInputs& inputs, const MixerWeights& weights) {
  int64_t sum = 0;
  for (size_t i = 0; i < kMixerInputs; ++i) sum += int64_t{inputs.values[i]} * int64_t{weights.values[i]};
  return sum;
}
MixerWeights MovedReference(const MixerInputs& inputs, int16_t step, const MixerWeights& weights) {
  MixerWeights moved;
  for (size_t i = 0; i < kMixerInputs; ++i) {
    const int64_t move = FloorDivide(FloorDivide(int64_t{inputs.values[i]} * step, 16) + 1, 1);
    moved.values[i] = static_cast<int16_t>(
        std::clamp<int64_t>(weights.values[i] + move, -int64_t{kMaxMixerWeight}, int64_t{kMaxMixerWeight}));
  }
  return moved;
}

int16_t Within(CounterRng& rng, int bound) {
  return static_cast<int16_t>(static_cast<int>(rng.NextBelow(2 * static_cast<uint64_t>(bound) + 1)) - bound);
}

TEST(MixerKernelTest, AgreeWithTheirTwins) {
  CounterRng rng(1, "mixer", 0);
  for (int round = 0; round < 5000; ++round) {
    MixerInputs inputs;
    MixerWeights weights;
    const bool extreme = round % 8 == 0;
    for (size_t i = 0; i < kMixerInputs; ++i) {
      inputs.values[i] = extreme ? static_cast<int16_t>(i % 2 == 0 ? 2047 : -2047) : Within(rng, 2047);
      weights.values[i] = extreme ? static_cast<int16_t>(i % 2 == 0 ? kMaxMixerWeight : -kMaxMixerWeight)
                                  : Within(rng, kMaxMixerWeight);
    }
    const int16_t step = extreme ? static_cast<int16_t>(round % 16 == 0 ? 32767 : -32767) : Within(rng, 32767);
    ASSERT_EQ(MixerSum(inputs, weights), SumReference(inputs, weights)) << round;
    const MixerWeights want = MovedReference(inputs, step, weights);
    MoveMixerWeights(inputs, step, weights);
    ASSERT_EQ(weights.values, want.values) << round;
  }
}

TEST(MixerTest, LearnsWhomToBelieve) {
  Mixer mixer({1, 1, 1});
  mixer.set_rate(6);
  CounterRng rng(2, "mixer", 0);
  for (int i = 0; i < 3000; ++i) {
    const int bit = static_cast<int>(rng.NextBelow(2));
    mixer.inputs().values[3] = bit != 0 ? 900 : -900;                 // knows
    mixer.inputs().values[8] = rng.NextBelow(2) != 0 ? 1500 : -1500;  // is sure and knows nothing
    mixer.Mix({0, 0, 0}, 7);
    const int right = bit != 0 ? mixer.probability() : 65536 - mixer.probability();
    EXPECT_TRUE(i <= 2000 || right > 62000) << i << " " << right;
    mixer.Update(bit);
  }
}

TEST(MixerTest, SetsOfWeightsAreApart) {
  Mixer mixer({2, 2, 2});
  mixer.set_rate(10);
  for (int i = 0; i < 500; ++i) {
    mixer.inputs().values[0] = 1000;
    mixer.Mix({0, 0, 0}, 0);
    mixer.Update(0);
  }
  EXPECT_LT(mixer.Mix({0, 0, 0}, 0), -500);
  EXPECT_GT(mixer.Mix({1, 1, 1}, 1), 0);
  mixer.Reset();
  mixer.inputs().values[0] = 1000;
  EXPECT_GT(mixer.Mix({0, 0, 0}, 0), 0);
}

}  // namespace
}  // namespace clm
