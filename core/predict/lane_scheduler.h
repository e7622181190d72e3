// LaneScheduler: the lanes of one predictor, shared by any number of callers.
//
//   LaneScheduler scheduler(std::move(predictor), {});
//   CLM_RETURN_IF_ERROR(scheduler.Run(works, cancel));   // from any thread; returns when all of the works have ended
//
// A work is one document or block on one lane. All lanes that have work move on together, one step at a time, so that
// a predictor joins their computation; a lane that becomes free takes the next work in the next step, from the callers
// in turn. What a work sees depends on its own symbols alone, never on the company it has.
//
// A caller waits while all lanes are taken: that is the back-pressure. A cancelled caller has its lanes taken away
// before the next step.
//
// Thread-safety: Run() may be called from any number of threads at once. Works run on the scheduler's thread or the
// predictor's; those of one caller may run at the same time, each by itself.
// Ownership: owns the predictor and one thread. Must not be destroyed while Run() is running.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "core/base/cancellation.h"
#include "core/base/types.h"
#include "core/predict/symbol_predictor.h"

namespace clm {

// One of the two kinds.
struct LaneWork {
  // Symbols that are known: their intervals are wanted. As long as each other.
  std::span<const SymbolId> symbols = {};
  std::span<SymbolInterval> intervals = {};
  // If set, called with a lane whenever that has a prediction: gives the symbol that comes, or nothing when the work
  // has ended. May ask the predictor about that lane, must not change it.
  std::function<std::optional<SymbolId>(SymbolPredictor& predictor, size_t lane)> next = {};
};

class LaneScheduler {
 public:
  // Requires a predictor with a lane at least.
  explicit LaneScheduler(std::unique_ptr<SymbolPredictor> predictor);
  ~LaneScheduler();
  LaneScheduler(const LaneScheduler&) = delete;
  LaneScheduler& operator=(const LaneScheduler&) = delete;

  // CANCELLED or DEADLINE_EXCEEDED from `cancel`: then some works were not done, and none is touched any more.
  absl::Status Run(std::span<const LaneWork> works, const CancellationToken& cancel) ABSL_LOCKS_EXCLUDED(mutex_);

  size_t lanes() const { return lanes_.size(); }
  // Lanes that have work now, for metrics.
  size_t lanes_in_use() const { return lanes_in_use_.load(std::memory_order_relaxed); }

 private:
  // A Run() in progress. Its members belong to the scheduler's thread until `done`.
  struct Caller {
    std::span<const LaneWork> works;
    const CancellationToken* cancel;
    size_t started = 0;
    size_t running = 0;
    bool cancelled = false;
    bool done = false;
  };
  struct Lane {
    Caller* caller = nullptr;
    const LaneWork* work = nullptr;
    size_t told = 0;                 // symbols of a known text
    std::optional<SymbolId> symbol;  // that comes next
  };

  void Serve();
  // Takes lanes away from cancelled callers and gives free ones to those that wait; whether any lane has work.
  bool AssignLanes() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void GiveWork(size_t lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishCallers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool ShouldWake() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return stop_ || !callers_.empty(); }
  void ScoreStep();
  void AskStep();
  void Release(Lane& lane);

  const std::unique_ptr<SymbolPredictor> predictor_;
  std::vector<Lane> lanes_;  // of the scheduler's thread
  std::vector<LaneText> texts_;
  std::vector<LaneUpdate> updates_;
  std::vector<size_t> asked_;  // lanes
  std::atomic<size_t> lanes_in_use_{0};

  absl::Mutex mutex_;
  std::deque<Caller*> callers_ ABSL_GUARDED_BY(mutex_);  // not done; the next to get a lane first
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace clm
