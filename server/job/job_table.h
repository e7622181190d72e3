// JobTable: all jobs of this server, and the only door to their journal.
//
// Every change is journalled first and becomes visible after that, so what a caller was told survives any crash. Reads
// come from memory (a few KiB per job) and never wait for the disk.
//
// On Open(), a job that was RUNNING goes back to QUEUED (its worker died with the server), or to CANCELLED when a
// caller had asked for that.
//
// Errors of the journal pass through (RESOURCE_EXHAUSTED for a full disk); then nothing has changed.
// Jobs are named by "jobs/{id}" or "{id}"; NOT_FOUND for an unknown one.
// Thread-safety: thread-safe. Lock order: write_mu_ before mu_. The observer is called with write_mu_ held and
// mu_ free, so it sees changes in their order; it must not call back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "clm/v1/job.pb.h"
#include "core/base/clock.h"
#include "server/job/job_journal.h"
#include "server/job/job_observer.h"
#include "server/job/job_state.h"

namespace clm {

struct JobTableOptions {
  // Jobs that may wait; one more is RESOURCE_EXHAUSTED. Jobs that come back to the queue are never refused.
  size_t max_queued_jobs = 64;
  // Progress is journalled at most this often per job; what comes faster is replaced by what comes later.
  absl::Duration progress_interval = absl::Seconds(1);
  // How long a caller should wait after a full queue.
  absl::Duration retry_delay = absl::Seconds(10);
  const Clock* clock = &SystemClock();
  JobObserver* observer = nullptr;  // not owned; may be null
};

struct JobFilter {
  std::optional<JobState> state;
  // Only jobs submitted before this one; 0 for all.
  uint64_t before_sequence = 0;
  size_t limit = 100;
};

struct JobPage {
  std::vector<v1::Job> jobs;  // newest first
  // For the next page's before_sequence; 0 on the last page.
  uint64_t next_before_sequence = 0;
};

// Newest events of a watched job.
struct JobEvents {
  std::vector<v1::JobEvent> events;  // oldest first; empty when the wait timed out
  bool final = false;                // nothing follows after them unless a caller resumes the job
};

// A job that a runner shall run now.
struct ClaimedJob {
  v1::Job job;
  absl::Duration queued;  // how long it waited
};

class JobTable {
 public:
  static absl::StatusOr<std::unique_ptr<JobTable>> Open(std::unique_ptr<JobJournal> journal,
                                                        const JobTableOptions& options);

  // Queues a new job, or returns the one with the same request_id and spec. ALREADY_EXISTS for the same request_id with
  // another spec, INVALID_ARGUMENT for a bad request_id or display_name or a spec without task, RESOURCE_EXHAUSTED with
  // retry advice when the queue is full, UNAVAILABLE after Close().
  // `check` is asked last, while nothing can be deleted by DeleteUnread(); its error is the answer.
  absl::StatusOr<v1::Job> Submit(const v1::SubmitJobRequest& request, const std::function<absl::Status()>& check = {})
      ABSL_LOCKS_EXCLUDED(write_mu_, mu_);

  // The job that Submit() would return without making one; nothing when it would make one. ALREADY_EXISTS as there.
  absl::StatusOr<std::optional<v1::Job>> FindSubmitted(const v1::SubmitJobRequest& request) const
      ABSL_LOCKS_EXCLUDED(mu_);

  absl::StatusOr<v1::Job> Get(absl::string_view name) const ABSL_LOCKS_EXCLUDED(mu_);
  JobPage List(const JobFilter& filter) const ABSL_LOCKS_EXCLUDED(mu_);

  // Cancels a queued job at once and asks the worker of a running one to stop. OK without effect when it is cancelled
  // already or asked to; FAILED_PRECONDITION when it succeeded or failed.
  absl::StatusOr<v1::Job> Cancel(absl::string_view name) ABSL_LOCKS_EXCLUDED(write_mu_, mu_);
  // Queues a failed or cancelled job again. FAILED_PRECONDITION otherwise; RESOURCE_EXHAUSTED when the queue is full.
  absl::StatusOr<v1::Job> Resume(absl::string_view name) ABSL_LOCKS_EXCLUDED(write_mu_, mu_);
  // Forgets a final job; returns it. FAILED_PRECONDITION while it is queued or running.
  absl::StatusOr<v1::Job> Delete(absl::string_view name) ABSL_LOCKS_EXCLUDED(write_mu_, mu_);

  // Runs `remove`, which deletes the artifact with these 64 hex digits, unless a queued or running job reads it:
  // FAILED_PRECONDITION naming that job, with reason ARTIFACT_IN_USE. No job can be submitted meanwhile.
  absl::Status DeleteUnread(absl::string_view artifact_hex, const std::function<absl::Status()>& remove)
      ABSL_LOCKS_EXCLUDED(write_mu_, mu_);

  // The events after `cursor`, waiting up to `timeout` for the first; cursor 0 gives the current state at once. An
  // empty answer with `final` means that nothing more comes. OUT_OF_RANGE for a cursor beyond the last event; NOT_FOUND
  // also when the job is deleted meanwhile; UNAVAILABLE after Close().
  absl::StatusOr<JobEvents> WaitForEvents(absl::string_view name, uint64_t cursor, absl::Duration timeout)
      ABSL_LOCKS_EXCLUDED(mu_);

  // For the runner
  // -----------------------------------------------------------------------------------------------------

  // Waits for the oldest queued job, moves it to RUNNING and counts the attempt. Nothing after Close().
  absl::StatusOr<std::optional<ClaimedJob>> Claim() ABSL_LOCKS_EXCLUDED(write_mu_, mu_);
  // RUNNING to SUCCEEDED / FAILED / CANCELLED / QUEUED.
  absl::Status Succeed(absl::string_view name, const v1::JobResult& result);
  absl::Status Fail(absl::string_view name, const v1::JobError& error);
  absl::Status MarkCancelled(absl::string_view name);
  // Back to the queue after its worker was stopped by the server.
  absl::Status Requeue(absl::string_view name);
  // Its worker died: back to the queue, or FAILED when that happened more than `max_resumes` times.
  absl::Status RequeueAfterDeath(absl::string_view name, const v1::JobError& error, uint32_t max_resumes);
  // Takes the last word of the worker; journals it when progress_interval has passed, else later.
  absl::Status Report(absl::string_view name, const v1::JobProgress& progress);
  // Journals progress that waits for its interval to pass, if it has passed.
  absl::Status FlushProgress(absl::string_view name);
  bool CancelRequested(absl::string_view name) const;

  // Ids of all jobs, oldest first.
  std::vector<std::string> Ids() const;
  // Wakes everybody who waits; no job is accepted or claimed any more. Jobs can still finish.
  void Close();

 private:
  struct Entry {
    JobRecord record;
    absl::Time last_progress = absl::InfinitePast();  // when progress was journalled
    bool progress_pending = false;                    // record.job.progress is newer than the journal's
    absl::Time queued_at;                             // when it last came into the queue
  };
  // A change of one record: its event follows from whether the state differs.
  using Change = std::function<absl::Status(JobRecord&)>;

  JobTable(std::unique_ptr<JobJournal> journal, const JobTableOptions& options);

  absl::Status Recover();
  // Applies `change` to the record of `sequence`, journals it, then shows it.
  absl::StatusOr<v1::Job> Apply(uint64_t sequence, EventKind kind, const Change& change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_) ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<v1::Job> ApplyTo(absl::string_view name, const Change& change) ABSL_LOCKS_EXCLUDED(write_mu_, mu_);
  // The event that follows `cursor`, when it is there without a look at the disk.
  std::optional<JobEvents> NextEventLocked(const Entry& entry, uint64_t cursor) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<v1::Job> Add(const v1::SubmitJobRequest& request, const std::string& digest)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_) ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<std::optional<v1::Job>> FindRequest(const v1::SubmitJobRequest& request,
                                                     const std::string& digest) const ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status CheckRoomInQueue() const ABSL_LOCKS_EXCLUDED(mu_);
  // Sets state, times and flags of a legal move.
  absl::Status Move(JobRecord& record, JobState to) const;
  void Show(JobRecord record, EventKind kind) ABSL_LOCKS_EXCLUDED(mu_);
  void Notify(const v1::Job& job, std::optional<JobState> from, std::optional<JobState> to) const;
  absl::StatusOr<uint64_t> Find(absl::string_view name) const ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<uint64_t> FindLocked(absl::string_view name) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::unique_ptr<JobJournal> journal_;
  const JobTableOptions options_;

  mutable absl::Mutex write_mu_;  // one change at a time, held while the disk works
  uint64_t next_sequence_ ABSL_GUARDED_BY(write_mu_) = 1;

  mutable absl::Mutex mu_ ABSL_ACQUIRED_AFTER(write_mu_);
  std::map<uint64_t, Entry> entries_ ABSL_GUARDED_BY(mu_);  // changed only with both locks
  std::map<std::string, uint64_t, std::less<>> by_id_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, uint64_t, std::less<>> by_request_ ABSL_GUARDED_BY(mu_);
  std::set<uint64_t> queued_ ABSL_GUARDED_BY(mu_);
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace clm
