#include "core/model/scorer_options.h"

#include <gtest/gtest.h>

#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

TEST(ScorerOptionsTest, LimitsAreInclusiveAndNamed) {
  EXPECT_OK((ScorerOptions{.stride = 8, .batch_windows = 65536, .batch_symbols = 1 << 24}.Validate(8)));
  EXPECT_OK((ScorerOptions{.stride = 0, .batch_windows = 1, .batch_symbols = 1}.Validate(8)));
  EXPECT_THAT(ScorerOptions{.stride = 9}.Validate(8),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("stride is 9, must be in [0, 8]")));
  EXPECT_THAT(ScorerOptions{.batch_windows = 65537}.Validate(8),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("batch_windows")));
  EXPECT_THAT(ScorerOptions{.batch_symbols = 0}.Validate(8),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("batch_symbols")));
}

}  // namespace
}  // namespace clm
