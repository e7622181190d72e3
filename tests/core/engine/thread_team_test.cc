#include "core/engine/thread_team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <initializer_list>
#include <vector>

namespace clm {
namespace {

TEST(ThreadTeamTest, EveryThreadRunsOncePerPiece) {
  for (const size_t threads : std::initializer_list<size_t>{1, 2, 5}) {
    ThreadTeam team(threads);
    ASSERT_EQ(team.size(), threads);
    std::vector<int> runs(threads);
    for (int round = 1; round <= 300; ++round) {
      team.Run(team.size(), [&](size_t thread) { ++runs[thread]; });
      ASSERT_EQ(runs, std::vector<int>(threads, round));
    }
  }
}

TEST(ThreadTeamTest, FewerThreadsThanThereAreMayTakePart) {
  ThreadTeam team(4);
  std::vector<int> runs(4);
  for (int round = 0; round < 100; ++round) {
    for (size_t count = 1; count <= 4; ++count) {
      team.Run(count, [&](size_t thread) {
        team.Barrier();
        ++runs[thread];
      });
    }
  }
  EXPECT_EQ(runs, (std::vector<int>{400, 300, 200, 100}));
}

TEST(ThreadTeamTest, OneThreadIsEnoughWhileOthersKeepItWaiting) {
  ThreadTeam team(2);
  EXPECT_EQ(team.UsefulThreads(), 2U);
  const auto late = [](size_t thread) {
    if (thread == 0) return;
    const auto start = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds(1)) {
    }
  };
  for (int piece = 0; piece < 4; ++piece) team.Run(2, late);
  for (int piece = 0; piece < 256; ++piece) ASSERT_EQ(team.UsefulThreads(), 1U);
  EXPECT_EQ(team.UsefulThreads(), 2U);
}

TEST(ThreadTeamTest, WritesBeforeABarrierAreSeenAfterIt) {
  ThreadTeam team(3);
  std::vector<int> values(3);
  std::atomic<int> wrong = 0;
  team.Run(team.size(), [&](size_t thread) {
    for (int round = 1; round <= 100; ++round) {
      values[thread] = round;
      team.Barrier();
      for (const int value : values) wrong += value != round ? 1 : 0;
      team.Barrier();
    }
  });
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace clm
