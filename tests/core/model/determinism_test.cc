#include "core/model/determinism.h"

#include <gtest/gtest.h>

#include "core/base/thread_pool.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

TEST(DeterminismTest, ThreadsAreAsAsked) {
  EXPECT_OK(ConfigureDeterminism(0));
  EXPECT_EQ(ComputeThreads(), static_cast<int>(AvailableThreads()));
  EXPECT_OK(ConfigureDeterminism(1));
  EXPECT_EQ(ComputeThreads(), 1);
}

TEST(DeterminismTest, ThreadsOutOfRangeAreRefused) {
  EXPECT_THAT(ConfigureDeterminism(-1), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("threads is -1")));
  EXPECT_THAT(ConfigureDeterminism(1025), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1024")));
}

}  // namespace
}  // namespace clm
