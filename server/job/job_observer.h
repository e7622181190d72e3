// JobObserver: what metrics want to know about jobs.
//
// Called from the threads of JobTable's callers and of JobRunner, after the fact is durable and visible. It must return
// quickly, be thread-safe, and not call back into the table.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "clm/v1/job.pb.h"
#include "server/job/job_state.h"

namespace clm {

class JobObserver {
 public:
  virtual ~JobObserver() = default;

  // A job came (no `from`), moved, or went (no `to`).
  virtual void OnMove(v1::JobKind kind, std::optional<JobState> from, std::optional<JobState> to) {
    static_cast<void>(kind), static_cast<void>(from), static_cast<void>(to);
  }
  // A worker starts on `slot` (0 .. running jobs - 1) after the job waited for `queued`.
  virtual void OnStart(uint32_t slot, const v1::Job& job, absl::Duration queued) {
    static_cast<void>(slot), static_cast<void>(job), static_cast<void>(queued);
  }
  virtual void OnProgress(uint32_t slot, v1::JobKind kind, const v1::JobProgress& progress) {
    static_cast<void>(slot), static_cast<void>(kind), static_cast<void>(progress);
  }
  // The slot is free again; `job` is as the attempt left it.
  virtual void OnStop(uint32_t slot, const v1::Job& job) { static_cast<void>(slot), static_cast<void>(job); }
};

}  // namespace clm
