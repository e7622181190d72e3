#include "core/predict/logistic_tables.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "gtest/gtest.h"

namespace clm {
namespace {

TEST(SquashTest, IsTheLogisticFunctionToOneUnit) {
  for (int x = -kMaxStretched; x <= kMaxStretched; ++x) {
    const double want = 65536 / (1 + std::exp(-x / 256.0));
    ASSERT_NEAR(Squash(x), want, 1.0) << x;
    ASSERT_EQ(Squash(x) + Squash(-x), 65536) << x;
  }
}

TEST(SquashTest, NeverDecreases) {
  for (int x = -2047; x < 2048; ++x) ASSERT_GE(Squash(x), Squash(x - 1)) << x;
}

TEST(WideSquashTest, IsTheLogisticFunctionToOneUnitAndNeverCertain) {
  for (int x = -4095; x <= 4095; ++x) {
    const double want = std::clamp(65536 / (1 + std::exp(-x / 256.0)), 1.0, 65535.0);
    ASSERT_NEAR(WideSquash(x), want, 1.0) << x;
    ASSERT_EQ(WideSquash(x) + WideSquash(-x), 65536) << x;
    ASSERT_GE(WideSquash(x), WideSquash(x - 1)) << x;
  }
}

TEST(Stretch12Test, IsTheInverseOfSquash) {
  for (int p = 0; p < 4096; ++p) {
    const double probability = (p + 0.5) / 4096;
    const double want = std::clamp(std::log(probability / (1 - probability)) * 256, -2047.0, 2047.0);
    // One unit of the 16-bit table is up to 35 units of the logistic domain at the very ends.
    ASSERT_NEAR(Stretch12(p), want, p < 64 || p >= 4032 ? 40.0 : 2.0) << p;
  }
}

}  // namespace
}  // namespace clm
