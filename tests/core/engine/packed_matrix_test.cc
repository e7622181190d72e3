#include "core/engine/packed_matrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "core/base/rng.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

std::vector<float> Weights(size_t count) {
  CounterRng rng(1, "weights", 0);
  std::vector<float> weights(count);
  for (float& weight : weights) weight = static_cast<float>(rng.NextDouble() - 0.5);
  return weights;
}

TEST(PackedMatrixTest, WeightsAreWithinHalfAUnitOfTheirRow) {
  std::vector<float> weights = Weights(21 * 13);
  for (size_t i = 0; i < 13; ++i) weights[3 * 13 + i] *= 0.01F;  // a row of small weights has a scale of its own
  for (size_t i = 0; i < 13; ++i) weights[5 * 13 + i] = 0;
  ASSERT_OK_AND_ASSIGN(const PackedMatrix matrix,
                       PackedMatrix::Create(weights, {.name = "m", .rows = 21, .columns = 13, .factor = 3.0}));
  EXPECT_EQ(matrix.panels(), 2U);
  EXPECT_EQ(matrix.groups(), 4U);
  for (size_t row = 0; row < 21; ++row) {
    const double unit = std::ldexp(matrix.row_scales()[row], matrix.exponent());
    for (size_t column = 0; column < 13; ++column) {
      const double want = 3.0 * static_cast<double>(weights[row * 13 + column]);
      ASSERT_NEAR(matrix.weight(row, column) * unit, want, 0.5000001 * unit) << row << " " << column;
    }
  }
}

TEST(PackedMatrixTest, SumsThatCouldOverflowAreRefusedByName) {
  // Every weight becomes 127: 66,052 of them sum to 2^23 - 4, one more is too many.
  const std::vector<float> weights(66053, 1.0F);
  EXPECT_OK(PackedMatrix::Create(std::span(weights).first(66052), {.name = "ones", .rows = 1, .columns = 66052}));
  EXPECT_THAT(PackedMatrix::Create(weights, {.name = "ones", .rows = 1, .columns = 66053}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("ones: the weights of row 0 sum to 8388731 in size, the limit is 8388607")));
}

TEST(PackedMatrixTest, WeightsThatAreNotFiniteAreRefused) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e20F}) {
    std::vector<float> weights(4, 1.0F);
    weights[2] = bad;
    EXPECT_THAT(PackedMatrix::Create(weights, {.name = "bad", .rows = 2, .columns = 2}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("bad: value 2 is")));
    EXPECT_THAT(QuantizeVector(weights, "bad"), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(PackedMatrixTest, VectorsTakeFifteenBits) {
  ASSERT_OK_AND_ASSIGN(const QuantizedVector vector, QuantizeVector(std::vector<float>{0.5F, -1.25F, 0.0F}, "v"));
  EXPECT_EQ(vector.exponent, -14);
  EXPECT_EQ(vector.values, (std::vector<int16_t>{8192, -20480, 0}));
}

}  // namespace
}  // namespace clm
