// CallWatchdog: one thread that tells running calls when their caller is gone, their time is over, or their peer stands
// still.
//
// gRPC's synchronous handlers are not told about any of that while they compute, and block without end on a peer that
// does not read. The watchdog looks at every call each 20 ms (nothing while no call runs): a caller that is gone
// cancels the call's token; a deadline that passed expires it; a peer that lets the call wait longer than the idle
// timeout expires it and has its connection to the call cut, so that a blocked read or write returns. Thread-safety:
// thread-safe.
#pragma once

#include <functional>
#include <list>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "server/service/call.h"

namespace clm {

class CallWatchdog {
 public:
  static constexpr absl::Duration kTick = absl::Milliseconds(20);
  // From an expired deadline until a call that did not end by itself is cut.
  static constexpr absl::Duration kCutAfter = absl::Seconds(1);

  struct Watched {
    Call* call;
    std::function<bool()> caller_gone;  // must not block
    std::function<void()> cut;          // makes blocked reads and writes return; must not block
    absl::Time caller_deadline;         // InfiniteFuture when the caller set none
    absl::Duration time_limit;          // on top of that; InfiniteDuration for none
  };

  explicit CallWatchdog(absl::Duration idle_timeout);
  ~CallWatchdog();  // no call may be registered any more

  // Watches `watched` while the registration lives; its functions are not called afterwards.
  class Registration {
   public:
    Registration(CallWatchdog& watchdog, Watched watched);
    ~Registration();
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

   private:
    CallWatchdog& watchdog_;
    std::list<Watched>::iterator position_;
  };

 private:
  void Run();
  void Look(const Watched& watched) const;

  const absl::Duration idle_timeout_;
  absl::Mutex mu_;
  std::list<Watched> calls_ ABSL_GUARDED_BY(mu_);
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace clm
