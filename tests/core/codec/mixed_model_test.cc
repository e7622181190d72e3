#include "core/codec/mixed_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

namespace clm {
namespace {

TEST(MixedModelTest, LogRatiosAreThoseOfRealNumbers) {
  for (const uint32_t a : {1U, 2U, 3U, 1000U, 65'537U, 1U << 20, (1U << 24) - 1}) {
    for (const uint32_t b : {1U, 5U, 777U, 99'999U, (1U << 24) - 1}) {
      const double want = 256.0 * std::log(static_cast<double>(a) / b);
      EXPECT_NEAR(LogRatio(a, b), std::fmin(std::fmax(want, -4095.0), 4095.0), 1.5) << a << " / " << b;
    }
  }
}

}  // namespace
}  // namespace clm
