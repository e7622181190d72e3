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
using ::testing::AllOf;
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
  const std::vector<float> weights(64, 1.0F);
  // Every weight becomes 127: 64 * 127 * 2^18 is just below 2^31, 2^19 is not.
  EXPECT_OK(PackedMatrix::Create(weights, {.name = "ones", .rows = 1, .columns = 64, .activation_bits = 18}));
  EXPECT_THAT(PackedMatrix::Create(weights, {.name = "ones", .rows = 1, .columns = 64, .activation_bits = 19}),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("ones: the weights of row 0 sum to 8128"))));
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
