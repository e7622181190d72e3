// JobMetrics: what happens to jobs, as metrics.
//
// Thread-safety: thread-safe. Ownership: `metrics` outlives it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/base/clock.h"
#include "server/job/job_observer.h"
#include "server/metrics/metrics.h"

namespace clm {

class JobMetrics final : public JobObserver {
 public:
  // clm_eval_bits_per_byte keeps the checkpoints measured last, this many.
  static constexpr size_t kMaxEvaluations = 64;

  explicit JobMetrics(Metrics& metrics, const Clock& clock = SystemClock()) : metrics_(metrics), clock_(clock) {}

  void OnMove(v1::JobKind kind, std::optional<JobState> from, std::optional<JobState> to) override;
  void OnStart(uint32_t slot, const v1::Job& job, absl::Duration queued) override;
  void OnProgress(uint32_t slot, v1::JobKind kind, const v1::JobProgress& progress) override;
  void OnStop(uint32_t slot, const v1::Job& job) override;

 private:
  // Last totals of the job in a slot; counters grow by differences.
  struct SlotTotals {
    double original_bytes = 0;
    double steps = 0;
    absl::Duration steps_at;
    bool seen = false;
  };

  void CountTraining(uint32_t slot, const v1::JobProgress& progress);
  void CountEvaluation(const v1::Job& job);

  Metrics& metrics_;
  const Clock& clock_;

  absl::Mutex mu_;
  std::map<uint32_t, SlotTotals> slots_ ABSL_GUARDED_BY(mu_);
  std::deque<LabelValues> evaluations_ ABSL_GUARDED_BY(mu_);  // series of kEvalBitsPerByte, oldest first
};

}  // namespace clm
