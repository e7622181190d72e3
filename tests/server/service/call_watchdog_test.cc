#include "server/service/call_watchdog.h"

#include <atomic>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);

class CallWatchdogTest : public ::testing::Test {
 protected:
  // Watches call_ until its token stops or it is cut; whichever `until` asks for.
  CallWatchdog::Watched Watched() {
    return {.call = &call_,
            .caller_gone = [this] { return gone_.load(); },
            .cut =
                [this] {
                  if (!cut_.HasBeenNotified()) cut_.Notify();
                },
            .caller_deadline = absl::InfiniteFuture(),
            .time_limit = absl::InfiniteDuration()};
  }

  absl::Status WaitForCancel() {
    const absl::Time deadline = absl::Now() + kPatience;
    while (!call_.cancel().cancelled() && absl::Now() < deadline) std::this_thread::yield();
    return call_.cancel().Check();
  }

  Call call_{"m", "id"};
  std::atomic<bool> gone_{false};
  absl::Notification cut_;
};

TEST_F(CallWatchdogTest, CallerThatLeavesCancels) {
  CallWatchdog watchdog(kPatience);
  const CallWatchdog::Registration registration(watchdog, Watched());
  EXPECT_FALSE(call_.cancel().cancelled());
  const absl::Time start = absl::Now();
  gone_ = true;
  EXPECT_TRUE(absl::IsCancelled(WaitForCancel()));
  EXPECT_LT(absl::Now() - start, absl::Seconds(1));
}

TEST_F(CallWatchdogTest, CallersDeadlineExpires) {
  CallWatchdog watchdog(kPatience);
  CallWatchdog::Watched watched = Watched();
  watched.caller_deadline = absl::Now();
  gone_ = true;
  const CallWatchdog::Registration registration(watchdog, watched);
  EXPECT_TRUE(absl::IsDeadlineExceeded(WaitForCancel()));
}

TEST_F(CallWatchdogTest, TimeLimitExpiresThenCutsABlockedCall) {
  CallWatchdog watchdog(kPatience);
  CallWatchdog::Watched watched = Watched();
  watched.time_limit = absl::ZeroDuration();
  const CallWatchdog::Registration registration(watchdog, watched);
  EXPECT_TRUE(absl::IsDeadlineExceeded(WaitForCancel()));
  const Call::PeerWait wait(call_);
  EXPECT_TRUE(cut_.WaitForNotificationWithTimeout(kPatience));
  EXPECT_FALSE(call_.idle_cut());
}

TEST_F(CallWatchdogTest, PeerThatStandsStillIsCut) {
  CallWatchdog watchdog(absl::Milliseconds(50));
  const CallWatchdog::Registration registration(watchdog, Watched());
  const Call::PeerWait wait(call_);
  EXPECT_TRUE(cut_.WaitForNotificationWithTimeout(kPatience));
  EXPECT_TRUE(call_.idle_cut());
  EXPECT_TRUE(absl::IsDeadlineExceeded(WaitForCancel()));
}

TEST_F(CallWatchdogTest, CallThatComputesIsNotIdle) {
  CallWatchdog watchdog(absl::Milliseconds(1));
  const CallWatchdog::Registration registration(watchdog, Watched());
  { const Call::PeerWait wait(call_); }
  EXPECT_FALSE(cut_.WaitForNotificationWithTimeout(absl::Milliseconds(100)));
  EXPECT_FALSE(call_.cancel().cancelled());
}

TEST(CallTest, APeerThatDoesOneOfTwoThingsDoesNotStandStill) {
  FakeClock clock;
  Call call("m", "id", clock);
  EXPECT_EQ(call.waiting(), absl::ZeroDuration());
  {
    const Call::PeerWait read(call);
    clock.Advance(absl::Seconds(5));
    EXPECT_EQ(call.waiting(), absl::Seconds(5));
    {
      const Call::PeerWait write(call);
      clock.Advance(absl::Seconds(1));
      EXPECT_EQ(call.waiting(), absl::Seconds(6)) << "neither has ended";
    }
    EXPECT_EQ(call.waiting(), absl::ZeroDuration()) << "it took what was written";
    clock.Advance(absl::Seconds(2));
    EXPECT_EQ(call.waiting(), absl::Seconds(2));
  }
  EXPECT_EQ(call.waiting(), absl::ZeroDuration());
  clock.Advance(absl::Seconds(9));
  const Call::PeerWait again(call);
  EXPECT_EQ(call.waiting(), absl::ZeroDuration()) << "computing is not waiting";
}

TEST_F(CallWatchdogTest, RegistrationThatEndsIsLeftAlone) {
  CallWatchdog watchdog(kPatience);
  { const CallWatchdog::Registration registration(watchdog, Watched()); }
  Call other("m", "id");
  CallWatchdog::Watched watched = Watched();
  watched.call = &other;
  gone_ = true;
  const CallWatchdog::Registration registration(watchdog, watched);
  while (!other.cancel().cancelled()) std::this_thread::yield();
  EXPECT_FALSE(call_.cancel().cancelled());
}

}  // namespace
}  // namespace clm
