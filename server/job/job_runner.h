// JobRunner: takes queued jobs from the table and has clm_worker do them, at most `slots` at a time.
//
//   clm_worker --job_file=<data_dir>/jobs/<id>/job.txtpb --data_dir=<data_dir> --work_dir=<data_dir>/jobs/<id>
//   --event_fd=3
//
// The working folder of a job stays the same over all its attempts, so a worker finds its own checkpoints there. What
// the end of a worker means:
//
//   result event and exit 0                      SUCCEEDED
//   error event                                  FAILED with that error
//   error event CANCELLED, a caller had asked    CANCELLED
//   any other end, a caller had asked            CANCELLED
//   any other end, the server drains             back to QUEUED, continues at the next start
//   any other end (signal, exit without result)  back to QUEUED, at most `max_resumes` times, then FAILED with the
//   signal and
//                                                the last lines of the worker's log
//
// Cancelling is SIGTERM, then SIGKILL after `cancel_grace`. A result that cannot be journalled (full disk) is tried
// again until it can, or until Stop(); then the job is done again at the next start. Thread-safety: thread-safe. Each
// slot is one thread; a worker is started and waited for by the thread of its slot.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/file_io.h"
#include "server/job/job_observer.h"
#include "server/job/job_table.h"
#include "server/job/worker_process.h"

namespace clm {

struct JobRunnerOptions {
  // The program; must be executable.
  std::string worker_path;
  std::string data_dir;
  // Jobs at the same time. Range [1, 64].
  uint32_t slots = 1;
  // Times a job is started again after its worker died. Range [0, 100].
  uint32_t max_resumes = 3;
  // From SIGTERM to SIGKILL.
  absl::Duration cancel_grace = absl::Seconds(10);
  // Largest log file of one job.
  uint64_t max_log_bytes = uint64_t{4} << 20;
  FileSystem* files = &PosixFileSystem();  // not owned
  const Clock* clock = &SystemClock();     // not owned
  JobObserver* observer = nullptr;         // not owned; may be null

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

class JobRunner {
 public:
  // `table` outlives the runner. `options` must be valid.
  JobRunner(JobTable& table, JobRunnerOptions options);
  ~JobRunner();  // Stop()

  // Removes working folders of jobs that are no more, and starts to work.
  absl::Status Start();

  // Closes the table, stops all workers (their jobs go back to the queue) and waits for them: at most cancel_grace.
  // Idempotent.
  void Stop();

  // Removes the working folder of a deleted job.
  absl::Status RemoveFiles(absl::string_view job_id);

 private:
  // What is known about one attempt.
  struct Attempt;

  void RunSlot(uint32_t slot);
  void RunJob(uint32_t slot, const v1::Job& job);
  absl::StatusOr<WorkerProcess> StartWorker(const v1::Job& job);
  // Reads the worker's pipes until its end, passing on progress and signals.
  void Follow(WorkerProcess& worker, Attempt& attempt);
  void TakeEvents(absl::string_view bytes, WorkerProcess& worker, Attempt& attempt);
  void PassOnSignals(WorkerProcess& worker, Attempt& attempt);
  // Tells the table how the attempt ended.
  absl::Status Settle(const Attempt& attempt);
  v1::JobError DeathOf(const Attempt& attempt) const;
  // Calls Settle until the journal takes it, or Stop().
  void SettleDurably(const Attempt& attempt);
  std::string FolderOf(absl::string_view job_id) const;

  JobTable& table_;
  const JobRunnerOptions options_;
  absl::Notification stop_;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> slots_;
};

}  // namespace clm
