#include "server/service/call_watchdog.h"

#include <utility>

#include "absl/time/clock.h"

namespace clm {

CallWatchdog::CallWatchdog(absl::Duration idle_timeout) : idle_timeout_(idle_timeout), thread_([this] { Run(); }) {}

CallWatchdog::~CallWatchdog() {
  {
    absl::MutexLock lock(&mu_);
    stop_ = true;
  }
  thread_.join();
}

CallWatchdog::Registration::Registration(CallWatchdog& watchdog, Watched watched) : watchdog_(watchdog) {
  absl::MutexLock lock(&watchdog_.mu_);
  position_ = watchdog_.calls_.insert(watchdog_.calls_.end(), std::move(watched));
}

CallWatchdog::Registration::~Registration() {
  absl::MutexLock lock(&watchdog_.mu_);
  watchdog_.calls_.erase(position_);
}

void CallWatchdog::Look(const Watched& watched) const {
  Call& call = *watched.call;
  const absl::Duration waiting = call.waiting();
  if (watched.caller_gone()) {
    // gRPC cancels a call whose deadline passed; the caller's own wish looks the same. The caller's clock may ring a
    // little before ours: the deadline travels as a time to go, rounded up to the unit it is written in.
    if (absl::Now() + kTick >= watched.caller_deadline) {
      call.source().Expire();
    } else {
      call.source().Cancel();
    }
  } else if (waiting > idle_timeout_) {
    call.set_idle_cut();
    call.source().Expire();
    watched.cut();
  } else if (call.elapsed() >= watched.time_limit) {
    call.source().Expire();
    if (call.elapsed() >= watched.time_limit + kCutAfter || waiting > kTick) watched.cut();
  }
}

void CallWatchdog::Run() {
  absl::MutexLock lock(&mu_);
  const auto wanted = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return stop_ || !calls_.empty(); };
  const auto stopped = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return stop_; };
  while (true) {
    mu_.Await(absl::Condition(&wanted));
    if (stop_) return;
    for (const Watched& watched : calls_) Look(watched);
    if (mu_.AwaitWithTimeout(absl::Condition(&stopped), kTick)) return;
  }
}

}  // namespace clm
