// Clock: the time seam. Production code takes a `const Clock&` so that tests move time by hand.
#pragma once

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace clm {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall-clock time, for timestamps that people read.
  virtual absl::Time Now() const = 0;
  // Time since an arbitrary start that never goes backwards, for durations.
  virtual absl::Duration Monotonic() const = 0;
};

// The machine's clock. Lives as long as the process.
const Clock& SystemClock();

// A clock that stands still until Advance() is called.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time start = absl::FromUnixSeconds(1'800'000'000)) : now_(start), start_(start) {}

  absl::Time Now() const override {
    absl::MutexLock lock(&mu_);
    return now_;
  }
  absl::Duration Monotonic() const override {
    absl::MutexLock lock(&mu_);
    return now_ - start_;
  }
  void Advance(absl::Duration by) {
    absl::MutexLock lock(&mu_);
    now_ += by;
  }

 private:
  mutable absl::Mutex mu_;
  absl::Time now_ ABSL_GUARDED_BY(mu_);
  const absl::Time start_;
};

}  // namespace clm
