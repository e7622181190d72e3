#include "core/base/status_macros.h"

#include <memory>

#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;

absl::StatusOr<std::unique_ptr<int>> MakeInt(int value) {
  if (value < 0) return absl::InvalidArgumentError("negative");
  return std::make_unique<int>(value);
}

absl::StatusOr<int> Sum(int first, int second, int& calls) {
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<int> left, MakeInt(first));
  ++calls;
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<int> right, MakeInt(second));
  ++calls;
  CLM_RETURN_IF_ERROR(*left + *right > 100 ? absl::OutOfRangeError("large") : absl::OkStatus());
  return *left + *right;
}

TEST(StatusMacrosTest, PassValuesOnAndStopAtTheFirstError) {
  int calls = 0;
  EXPECT_THAT(*Sum(1, 2, calls), 3);
  EXPECT_EQ(calls, 2);
  EXPECT_THAT(Sum(1, -2, calls), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(calls, 3);
  EXPECT_THAT(Sum(-1, 2, calls), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(calls, 3);
  EXPECT_THAT(Sum(99, 2, calls), StatusIs(absl::StatusCode::kOutOfRange));
}

}  // namespace
}  // namespace clm
