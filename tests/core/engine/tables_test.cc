#include "core/engine/tables.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace clm {
namespace {

TEST(TablesTest, Exp2IsCloseAndFalls) {
  EXPECT_EQ(Exp2Negative(0), uint32_t{1} << kWeightBits);
  uint32_t last = UINT32_MAX;
  for (uint32_t x = 0; x < 26 << kLogBits; x += 13) {
    const uint32_t value = Exp2Negative(x);
    const double want = std::exp2(kWeightBits - x / 65536.0);
    ASSERT_NEAR(value, want, 1 + 6e-5 * want) << x;
    ASSERT_LE(value, last == UINT32_MAX ? last : last + 1 + last / 16384) << x;
    last = value;
  }
  EXPECT_EQ(Exp2Negative(UINT32_MAX), 0U);
}

TEST(TablesTest, SigmoidIsClose) {
  for (int32_t x = -kMaxGate; x <= kMaxGate; x += 7) {
    ASSERT_NEAR(Sigmoid(x) / 32768.0, 1 / (1 + std::exp(-x / 2048.0)), 5e-5) << x;
    ASSERT_EQ(Sigmoid(x) + Sigmoid(-x), 32768) << x;
  }
}

TEST(TablesTest, SineAndCosineAreClose) {
  for (uint64_t phase = 0; phase < uint64_t{1} << 32; phase += 1299721) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(phase) / 4294967296.0;
    const SineCosinePair pair = SineCosine(static_cast<uint32_t>(phase));
    ASSERT_NEAR(pair.sine / 16384.0, std::sin(angle), 5e-5) << phase;
    ASSERT_NEAR(pair.cosine / 16384.0, std::cos(angle), 5e-5) << phase;
  }
}

TEST(TablesTest, RotaryStepsAreThoseOfTheFormula) {
  for (const double theta : {1.0, 1.5, 10000.0, 500000.0, 1e9}) {
    for (uint32_t pair = 0; pair < 24; ++pair) {
      const double want = std::pow(theta, -static_cast<double>(pair) / 24) / (2 * std::numbers::pi);
      const double got = static_cast<double>(RotaryStep(theta, pair, 24)) / 18446744073709551616.0;
      EXPECT_NEAR(got / want, 1, 1e-9) << theta << " " << pair;
    }
  }
}

}  // namespace
}  // namespace clm
