#include "core/engine/kernels/row_kernels.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "core/base/digest.h"
#include "core/base/rng.h"
#include "core/engine/fixed_point.h"
#include "core/engine/kernels/dot.h"
#include "core/engine/tables.h"
#include "hwy/targets.h"

namespace clm::engine_kernels {
namespace {

constexpr size_t kCount = 77;

std::vector<int32_t> Values(uint64_t seed, int bits) {
  CounterRng rng(seed, "rows", 0);
  std::vector<int32_t> values(kCount);
  for (int32_t& value : values) {
    value = static_cast<int32_t>(rng.NextBelow(uint64_t{2} << bits)) - (int32_t{1} << bits);
  }
  return values;
}

// Runs `check` once with every instruction set of this machine, down to the least.
void ForEachTarget(const std::function<void(int64_t)>& check) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    check(target);
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

TEST(RowKernelsTest, RescalingRoundsAndClamps) {
  const std::vector<int32_t> sums = Values(1, 28);
  std::vector<int32_t> scales = Values(2, 15);
  for (int32_t& scale : scales) scale = scale & 0xFFFF;
  const std::vector<int32_t> before = Values(3, 29);
  ForEachTarget([&](int64_t target) {
    for (const int shift : {1, 14, 30, 61}) {
      const Rescale rescale = {.row_scale = scales.data(), .mantissa = 30011, .shift = shift, .limit = 100000};
      std::vector<int32_t> out(kCount);
      RescaleRow(sums.data(), rescale, out.data(), kCount);
      std::vector<int32_t> added = before;
      RescaleAdd(sums.data(), rescale, added.data(), kCount);
      for (size_t i = 0; i < kCount; ++i) {
        const int64_t want =
            std::clamp<int64_t>(RoundShift(int64_t{sums[i]} * scales[i] * 30011, shift), -100000, 100000);
        ASSERT_EQ(out[i], want) << target << " " << shift << " " << i;
        ASSERT_EQ(added[i], before[i] + want) << target << " " << shift << " " << i;
      }
    }
  });
}

TEST(RowKernelsTest, QuantisingFillsTheRange) {
  const std::vector<int32_t> values = Values(4, 24);
  ForEachTarget([&](int64_t target) {
    const uint32_t largest = MaxAbs(values.data(), kCount);
    const int shift = ShiftToBits(largest, 16);
    const auto factor = static_cast<int32_t>((int64_t{127} << 24) / RoundShift(largest, shift));
    std::vector<uint8_t> scaled(kCount);
    Quantize(values.data(), shift, factor, scaled.data(), kCount);
    std::vector<uint8_t> shifted(kCount);
    QuantizeByShift(values.data(), ShiftToBits(largest, 6), shifted.data(), kCount);
    for (size_t i = 0; i < kCount; ++i) {
      ASSERT_NEAR(scaled[i] - kActivationOffset, values[i] * 127.0 / largest, 0.51) << target;
      ASSERT_EQ(shifted[i] - kActivationOffset, RoundShift(values[i], ShiftToBits(largest, 6))) << target;
    }
  });
}

TEST(RowKernelsTest, FunctionsAreThoseOfTheTables) {
  std::vector<int32_t> gates = Values(5, 15);
  gates[0] = kMaxGate;
  gates[1] = -kMaxGate;
  gates[2] = 0;
  const std::vector<int32_t> logits = Values(6, 21);
  ForEachTarget([&](int64_t target) {
    std::vector<int32_t> silu(kCount);
    Silu(gates.data(), silu.data(), kCount);
    std::vector<uint32_t> weights(kCount);
    const int32_t largest = Max(logits.data(), kCount);
    std::vector<uint64_t> sums(2);
    LogitWeights(logits.data(), largest, weights.data(), sums.data(), kCount);
    std::vector<uint64_t> want_sums(2);
    for (size_t i = 0; i < kCount; ++i) {
      ASSERT_EQ(silu[i], gates[i] * Sigmoid(gates[i])) << target;
      ASSERT_EQ(weights[i], Exp2Negative(static_cast<uint32_t>(largest - logits[i]))) << target;
      want_sums[i / kWeightBlock] += weights[i];
      uint32_t before = 0;
      for (size_t j = 0; j < kCount; ++j) {
        if (logits[j] > logits[i] || (logits[j] == logits[i] && j < i)) ++before;
      }
      ASSERT_EQ(CountBefore(logits.data(), kCount, logits[i], i), before) << target;
    }
    ASSERT_EQ(sums, want_sums) << target;
  });
}

// Everything that has no simple formula of its own: all instruction sets must give one digest.
std::string DigestOfAll() {
  Sha256 hash;
  const auto add = [&hash](const auto& values) {
    hash.Update({static_cast<const char*>(static_cast<const void*>(values.data())), values.size() * sizeof(values[0])});
  };
  std::vector<int16_t> gain(kCount);
  for (size_t i = 0; i < kCount; ++i) gain[i] = static_cast<int16_t>(Values(7, 14)[i]);
  std::vector<int32_t> out(kCount);
  for (const int bits : {6, 14, 28}) {
    const std::vector<int32_t> x = Values(8, bits);
    add(std::vector<int64_t>{
        NormProducts(x.data(), BitWidth(MaxAbs(x.data(), kCount)) - 15, gain.data(), out.data(), kCount)});
    add(out);
  }
  MultiplyRow(Values(9, 29).data(), 32767, 20, out.data(), kCount);
  add(out);
  std::vector<int32_t> turned = Values(10, 16);
  std::vector<int16_t> sine(6);
  std::vector<int16_t> cosine(6);
  for (size_t i = 0; i < 6; ++i) {
    const SineCosinePair pair = SineCosine(static_cast<uint32_t>(i) * 715827882U);
    sine[i] = pair.sine;
    cosine[i] = pair.cosine;
  }
  Rotate(turned.data(), 6, 6, sine.data(), cosine.data());
  add(turned);
  Products(Values(11, 20).data(), 6, Values(12, 14).data(), 0, out.data(), kCount);
  add(out);
  std::vector<int32_t> scale = Values(13, 20);
  for (int32_t& value : scale) value = value < 0 ? -value : value;
  const int32_t largest = Scores(Values(14, 26).data(), scale.data(), 24, out.data(), kCount);
  add(out);
  SoftmaxSums sums;
  std::vector<int32_t> scaled(kCount);
  SoftmaxWeights({.scores = out.data(), .scale = scale.data(), .largest = largest, .scale_shift = 6}, scaled.data(),
                 kCount, sums);
  add(scaled);
  add(std::vector<uint64_t>{sums.weights, sums.largest_scaled});
  std::vector<uint8_t> small(kCount);
  ScaleWeights(scaled.data(), static_cast<int32_t>((255U << 16) / sums.largest_scaled), small.data(), kCount);
  add(small);
  return ToHex(hash.Finish());
}

TEST(RowKernelsTest, EveryInstructionSetGivesTheSameIntegers) {
  const std::string want = DigestOfAll();
  ForEachTarget([&](int64_t target) { EXPECT_EQ(DigestOfAll(), want) << hwy::TargetName(target); });
}

}  // namespace
}  // namespace clm::engine_kernels
