#include "core/pipeline/train.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

TEST(TrainOptionsTest, TheShapeIsCheckedBeforeTheCorpusIsKnown) {
  TrainOptions options;
  options.train.bytes_budget = 1000;
  EXPECT_OK(options.Validate());
  options.model.heads = 3;
  EXPECT_THAT(options.Validate(), StatusIs(absl::StatusCode::kInvalidArgument));
  options.model.heads = 4;
  options.warmup_ratio = 1.5;
  EXPECT_THAT(options.Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("warmup_ratio is 1.5")));
}

}  // namespace
}  // namespace clm
