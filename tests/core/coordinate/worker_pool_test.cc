#include "core/coordinate/worker_pool.h"

#include <cstdint>

#include "core/base/thread_pool.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

TEST(WorkerPoolTest, SumsOfAllWorkersAreWhole) {
  for (const size_t threads : {1U, 4U}) {
    ThreadPool pool(threads);
    WorkerPool<uint64_t> sums([] { return uint64_t{0}; });
    ASSERT_OK(pool.ParallelFor(1000, {}, [&](size_t i) {
      const auto sum = sums.Borrow();
      *sum += i;
      return absl::OkStatus();
    }));
    uint64_t total = 0;
    for (const uint64_t sum : sums.workers()) total += sum;
    EXPECT_EQ(total, 999U * 1000 / 2);
    EXPECT_LE(sums.workers().size(), threads);
  }
}

TEST(WorkerPoolTest, WhatIsGivenBackIsLentAgain) {
  WorkerPool<int> pool([] { return 7; });
  {
    const auto first = pool.Borrow();
    const auto second = pool.Borrow();
    *first = 8;
    EXPECT_EQ(*second, 7);
  }
  {
    const auto again = pool.Borrow();
    EXPECT_EQ(pool.workers().size(), 2U);
  }
}

}  // namespace
}  // namespace clm
