#include "core/base/clock.h"

#include "gtest/gtest.h"

namespace clm {
namespace {

TEST(ClockTest, SystemClockShowsThisCenturyAndNeverGoesBack) {
  const Clock& clock = SystemClock();
  EXPECT_GT(clock.Now(), absl::FromUnixSeconds(1'600'000'000));
  const absl::Duration first = clock.Monotonic();
  EXPECT_GE(clock.Monotonic(), first);
}

TEST(ClockTest, FakeClockMovesOnlyByHand) {
  FakeClock clock(absl::FromUnixSeconds(1000));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(1000));
  EXPECT_EQ(clock.Monotonic(), absl::ZeroDuration());
  clock.Advance(absl::Milliseconds(1500));
  EXPECT_EQ(clock.Now(), absl::FromUnixMillis(1'001'500));
  EXPECT_EQ(clock.Monotonic(), absl::Milliseconds(1500));
}

}  // namespace
}  // namespace clm
