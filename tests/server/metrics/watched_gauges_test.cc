#include "server/metrics/watched_gauges.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/metrics/metrics.h"

namespace clm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(WatchedGaugesTest, AreReadWhenThePageIsAskedFor) {
  Metrics metrics;
  double value = 3;
  const auto watch = metrics.Watch(kLanesInUse, [&value] { return value; });
  EXPECT_THAT(metrics.Expose(), HasSubstr("clm_lanes_in_use 3"));
  value = 5;
  EXPECT_THAT(metrics.Expose(), HasSubstr("clm_lanes_in_use 5"));
}

TEST(WatchedGaugesTest, WatchesOfOneFamilyAddUpAndEndWithTheirHandle) {
  Metrics metrics;
  auto first = metrics.Watch(kLanesInUse, [] { return 1.0; });
  auto second = metrics.Watch(kLanesInUse, [] { return 2.0; });
  EXPECT_THAT(metrics.Expose(), HasSubstr("clm_lanes_in_use 3"));
  first.reset();
  EXPECT_THAT(metrics.Expose(), HasSubstr("clm_lanes_in_use 2"));
  second.reset();
  EXPECT_THAT(metrics.Expose(), Not(HasSubstr("clm_lanes_in_use")));
}

TEST(WatchedGaugesTest, AWatchMayOutliveTheMetrics) {
  auto metrics = std::make_unique<Metrics>();
  const auto watch = metrics->Watch(kLanesInUse, [] { return 1.0; });
  metrics.reset();
}

}  // namespace
}  // namespace clm
