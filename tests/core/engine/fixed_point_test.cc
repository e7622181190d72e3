#include "core/engine/fixed_point.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/rng.h"

namespace clm {
namespace {

TEST(FixedPointTest, ShiftsRoundHalvesUp) {
  EXPECT_EQ(RoundShift(5, 1), 3);
  EXPECT_EQ(RoundShift(-5, 1), -2);
  EXPECT_EQ(RoundShift(-6, 2), -1);
  EXPECT_EQ(RoundShift(7, 0), 7);
}

TEST(FixedPointTest, RootsAreTheLargestBelow) {
  CounterRng rng(1, "roots", 0);
  for (int round = 0; round < 2000; ++round) {
    const uint64_t value = rng.NextU64() >> rng.NextBelow(64);
    const uint64_t root = IntegerSqrt(value);
    ASSERT_LE(root * root, value);
    ASSERT_GT(Uint128{root + 1} * (root + 1), Uint128{value}) << value;
  }
}

TEST(FixedPointTest, ScalesHaveFifteenBits) {
  EXPECT_EQ(MakeScale(0, 7, 3), Scale{});
  CounterRng rng(2, "scales", 0);
  for (int round = 0; round < 2000; ++round) {
    const uint64_t numerator = (rng.NextU64() >> (2 + rng.NextBelow(61))) | 1;
    const uint64_t denominator = (rng.NextU64() >> (2 + rng.NextBelow(61))) | 1;
    const Scale scale = MakeScale(numerator, denominator, 5);
    ASSERT_GE(scale.mantissa, 1 << 14);
    ASSERT_LT(scale.mantissa, 1 << 15);
    const double want = static_cast<double>(numerator) / static_cast<double>(denominator) * 32;
    const double got = std::ldexp(scale.mantissa, scale.exponent);
    ASSERT_LE(got, want * (1 + 1e-12));
    ASSERT_GE(got, want * (1 - 1.0 / 16384));
  }
}

}  // namespace
}  // namespace clm
