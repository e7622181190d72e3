#include "core/base/thread_pool.h"

#include <sched.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/barrier.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;

class ThreadPoolTest : public ::testing::TestWithParam<size_t> {
 protected:
  ThreadPool pool_{GetParam()};
};

TEST_P(ThreadPoolTest, CallsEveryTaskOnce) {
  for (const size_t count : {size_t{0}, size_t{1}, size_t{2}, size_t{7}, size_t{1000}}) {
    std::vector<std::atomic<int>> calls(count);
    EXPECT_OK(pool_.ParallelFor(count, CancellationToken(), [&](size_t i) {
      ++calls[i];
      return absl::OkStatus();
    }));
    for (size_t i = 0; i < count; ++i) ASSERT_EQ(calls[i], 1) << i << " of " << count;
  }
}

TEST_P(ThreadPoolTest, ReturnsTheErrorOfTheLowestFailedIndexAndStops) {
  for (int round = 0; round < 50; ++round) {
    std::atomic<size_t> started{0};
    const absl::Status status = pool_.ParallelFor(100'000, CancellationToken(), [&](size_t i) {
      ++started;
      return i == 40 || i == 41 || i == 60 ? absl::DataLossError(absl::StrCat("task ", i)) : absl::OkStatus();
    });
    ASSERT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, "task 40")) << round;
    ASSERT_LT(started, 100'000u) << round;
  }
}

TEST_P(ThreadPoolTest, StopsWhenCancelled) {
  CancellationSource source;
  std::atomic<size_t> started{0};
  EXPECT_THAT(pool_.ParallelFor(100'000, source.token(),
                                [&](size_t i) {
                                  ++started;
                                  if (i == 3) source.Cancel();
                                  return absl::OkStatus();
                                }),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_LT(started, 100'000u);
}

TEST_P(ThreadPoolTest, ServesSeveralCallersAtOnce) {
  std::vector<std::thread> callers;
  std::atomic<uint64_t> sum{0};
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        EXPECT_OK(pool_.ParallelFor(20, CancellationToken(), [&](size_t i) {
          sum += i;
          return absl::OkStatus();
        }));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sum, 4u * 50 * 190);
}

INSTANTIATE_TEST_SUITE_P(Sizes, ThreadPoolTest, ::testing::Values(1, 2, 3, 8));

TEST(ThreadPoolSizeTest, UsesAsManyThreadsAsItHas) {
  ThreadPool pool(3);
  EXPECT_EQ(pool.threads(), 3u);
  // Passes only if three tasks are under way at the same time.
  absl::Barrier* barrier = new absl::Barrier(3);
  EXPECT_OK(pool.ParallelFor(3, CancellationToken(), [&](size_t) {
    if (barrier->Block()) delete barrier;
    return absl::OkStatus();
  }));
}

TEST(AvailableThreadsTest, FollowsTheAffinityOfTheProcess) {
  EXPECT_GE(AvailableThreads(), 1u);
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  size_t first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(AvailableThreads(), 1u);
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
}

TEST(AvailableThreadsTest, ReadsQuotas) {
  constexpr size_t kUnlimited = std::numeric_limits<size_t>::max();
  EXPECT_EQ(QuotaThreads("max 100000"), kUnlimited);
  EXPECT_EQ(QuotaThreads("200000 100000\n"), 2u);
  EXPECT_EQ(QuotaThreads("250000 100000"), 3u);
  EXPECT_EQ(QuotaThreads("1000 100000"), 1u);
  for (const char* text : {"", "5", "0 100000", "100 0", "-1 100", "99999999999999999999 1", "1 2 3"}) {
    EXPECT_EQ(QuotaThreads(text), kUnlimited) << text;
  }
}

}  // namespace
}  // namespace clm
