#include "core/model/torch_status.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "absl/status/statusor.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

TEST(CatchTorchTest, WhatIsReturnedPassesThrough) {
  EXPECT_OK(CatchTorch("work", [] { return absl::OkStatus(); }));
  ASSERT_OK_AND_ASSIGN(const int value, CatchTorch("work", []() -> absl::StatusOr<int> { return 7; }));
  EXPECT_EQ(value, 7);
}

TEST(CatchTorchTest, WhatIsThrownBecomesAStatusThatSaysWhere) {
  const auto shapes = [] {
    at::zeros({2, 3}).mm(at::zeros({2, 3}));
    return absl::OkStatus();
  };
  EXPECT_THAT(CatchTorch("product", shapes), StatusIs(absl::StatusCode::kInternal, HasSubstr("product: ")));
  const auto memory = []() -> absl::Status { throw std::bad_alloc(); };
  EXPECT_THAT(CatchTorch("work", memory), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("memory")));
  const auto too_much = [] {
    at::empty({int64_t{1} << 60});
    return absl::OkStatus();
  };
  EXPECT_THAT(CatchTorch("work", too_much), StatusIs(absl::StatusCode::kResourceExhausted));
  const auto other = []() -> absl::Status { throw std::runtime_error("odd"); };
  EXPECT_THAT(CatchTorch("work", other), StatusIs(absl::StatusCode::kInternal, HasSubstr("odd")));
}

}  // namespace
}  // namespace clm
