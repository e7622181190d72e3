// CancellationToken: asks a computation to stop.
//
// The owner of an operation keeps a CancellationSource; every function that may run longer than a few milliseconds
// takes a `const CancellationToken&` and calls Check() at least once per training step, per 64 KiB of data or per
// symbol batch. A default-constructed token never cancels.
//
// Thread-safety: all members may be called from any thread. Cancel() is a single atomic store, but for signal handlers
// write to a pipe instead: shared_ptr is not async-signal-safe.
#pragma once

#include <atomic>
#include <memory>

#include "absl/status/status.h"

namespace clm {

class CancellationToken {
 public:
  CancellationToken() = default;

  bool cancelled() const { return state_ != nullptr && state_->load(std::memory_order_relaxed) != 0; }

  // OK, CANCELLED after Cancel(), DEADLINE_EXCEEDED after Expire().
  absl::Status Check() const {
    if (!cancelled()) return absl::OkStatus();
    return state_->load(std::memory_order_relaxed) == kExpired ? absl::DeadlineExceededError("the deadline passed")
                                                               : absl::CancelledError("the caller cancelled");
  }

 private:
  friend class CancellationSource;
  static constexpr int kCancelled = 1;
  static constexpr int kExpired = 2;

  explicit CancellationToken(std::shared_ptr<std::atomic<int>> state) : state_(std::move(state)) {}

  std::shared_ptr<std::atomic<int>> state_;
};

class CancellationSource {
 public:
  CancellationSource() : state_(std::make_shared<std::atomic<int>>(0)) {}

  CancellationToken token() const { return CancellationToken(state_); }
  void Cancel() const { Stop(CancellationToken::kCancelled); }
  void Expire() const { Stop(CancellationToken::kExpired); }

 private:
  // The first reason wins.
  void Stop(int reason) const {
    int running = 0;
    state_->compare_exchange_strong(running, reason, std::memory_order_relaxed);
  }

  std::shared_ptr<std::atomic<int>> state_;
};

}  // namespace clm
