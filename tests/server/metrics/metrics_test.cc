#include "server/metrics/metrics.h"

#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(MetricsTest, CountersGrowAndGaugesMove) {
  Metrics metrics;
  metrics.Add(kOriginalBytes, {"compress", "byte"}, 4096);
  metrics.Add(kOriginalBytes, {"compress", "byte"}, 1);
  metrics.Set(kModelsLoaded, {"cpu"}, 2);
  metrics.Add(kModelsLoaded, {"cpu"}, -1);
  EXPECT_THAT(metrics.Expose(),
              HasSubstr("clm_original_bytes_total{operation=\"compress\",representation=\"byte\"} 4097"));
  EXPECT_THAT(metrics.Expose(), HasSubstr("clm_models_loaded{device=\"cpu\"} 1"));
}

TEST(MetricsTest, HistogramsCountAndSum) {
  Metrics metrics;
  metrics.Observe(kJournalFsync, {}, 0.0625);
  metrics.Observe(kJournalFsync, {}, 0.25);
  EXPECT_THAT(metrics.Expose(), HasSubstr("clm_journal_fsync_duration_seconds_count 2"));
  EXPECT_THAT(metrics.Expose(), HasSubstr("clm_journal_fsync_duration_seconds_sum 0.3125"));
}

TEST(MetricsTest, RemovedSeriesIsGoneAndCanComeBack) {
  Metrics metrics;
  metrics.Set(kModelResidentBytes, {"9f86d081884c", "cpu"}, 10);
  metrics.Set(kModelResidentBytes, {"other", "cpu"}, 20);
  metrics.Remove(kModelResidentBytes, {"9f86d081884c", "cpu"});
  metrics.Remove(kModelResidentBytes, {"never there", "cpu"});
  EXPECT_THAT(metrics.Expose(), Not(HasSubstr("9f86d081884c")));
  EXPECT_THAT(metrics.Expose(), Not(HasSubstr("never there")));
  EXPECT_THAT(metrics.Expose(), HasSubstr("other"));
  metrics.Set(kModelResidentBytes, {"9f86d081884c", "cpu"}, 30);
  EXPECT_THAT(metrics.Expose(), HasSubstr("{checkpoint=\"9f86d081884c\",device=\"cpu\"} 30"));
}

TEST(MetricsTest, ThreadsMayCountTheSameSeries) {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        metrics.Add(kCallsInFlight, {"m"}, 1);
        metrics.Add(kCallsRejected, {"m", "r"}, 1);
        metrics.Remove(kJobProgress, {"0", "train"});
        metrics.Set(kJobProgress, {"0", "train"}, 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(metrics.Expose(), HasSubstr("clm_grpc_server_calls_in_flight{method=\"m\"} 4000"));
}

using MetricsDeathTest = ::testing::Test;

TEST(MetricsDeathTest, WrongNumberOfLabelsIsABugOfOurs) {
  Metrics metrics;
  EXPECT_DEATH(metrics.Add(kOriginalBytes, {"compress"}, 1), "broken invariant");
  EXPECT_DEATH(metrics.Set(kOriginalBytes, {"compress", "byte"}, 1), "broken invariant");
}

}  // namespace
}  // namespace clm
