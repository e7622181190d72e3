// JobJournal: what the server knows about jobs, on disk before anybody sees it.
//
// One SQLite file in WAL mode with synchronous=FULL: when a call returns OK, its effect survives a crash of the process
// and of the machine; when it does not, nothing has changed. Schema (user_version 1):
//
//   jobs    sequence INTEGER PRIMARY KEY AUTOINCREMENT   order of submission; never given twice
//           deaths, cursor INTEGER                       workers lost; position of the last event
//           digest, job BLOB                             SHA-256 of the spec (hex); serialized clm.v1.Job
//   events  (sequence, cursor) PRIMARY KEY               history of each job
//           progress INTEGER                             1 when the event only tells progress
//           job BLOB                                     clm.v1.Job after the event, without its spec
//
// Events that move a job's state are all kept. Of events that only tell progress the last one is kept, so the journal
// stays small however long a job runs; cursors grow by one per event and are never reused.
//
// Errors: as in sqlite.h; FAILED_PRECONDITION for a file of a newer version; DATA_LOSS for a row that cannot be read.
// Thread-safety: thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "clm/v1/job.pb.h"
#include "server/job/sqlite.h"

namespace clm {

// Everything stored about one job.
struct JobRecord {
  uint64_t sequence = 0;    // 1, 2, 3, ... in order of submission
  uint64_t cursor = 0;      // of its last event
  uint32_t deaths = 0;      // workers that died since it was submitted or resumed
  std::string spec_digest;  // SHA-256 of the spec, 64 hex digits
  v1::Job job;
};

enum class EventKind : uint8_t { kState, kProgress };

struct JobJournalOptions {
  // The file; its folder must exist.
  std::string path;
  // Largest journal in bytes; RESOURCE_EXHAUSTED beyond it. 0 for no limit but the disk.
  uint64_t max_size_bytes = 0;
  // Told how long each commit took, its fsync included. May be empty.
  std::function<void(absl::Duration)> on_commit;
};

class JobJournal {
 public:
  static absl::StatusOr<std::unique_ptr<JobJournal>> Open(JobJournalOptions options);

  // All jobs, oldest first.
  absl::StatusOr<std::vector<JobRecord>> Load();
  // The sequence for the next new job.
  absl::StatusOr<uint64_t> NextSequence();

  // Stores `record`, new or not, and the event that led to it, whose cursor is record.cursor.
  absl::Status Write(const JobRecord& record, EventKind kind) ABSL_LOCKS_EXCLUDED(mu_);
  // Forgets a job and its history. OK when it is not there.
  absl::Status Delete(uint64_t sequence) ABSL_LOCKS_EXCLUDED(mu_);

  // Up to `limit` events of a job after `cursor`, oldest first; the jobs in them have no spec.
  absl::StatusOr<std::vector<v1::JobEvent>> Events(uint64_t sequence, uint64_t cursor, uint64_t limit)
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  JobJournal(JobJournalOptions options, SqliteDatabase database);

  absl::Status Configure() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status Migrate() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<uint64_t> Ask(absl::string_view sql) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status WriteRows(const JobRecord& record, EventKind kind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status DeleteRows(uint64_t sequence) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Runs `change` between BEGIN and COMMIT, or undoes all of it.
  absl::Status Transact(const std::function<absl::Status()>& change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const JobJournalOptions options_;

  absl::Mutex mu_;
  SqliteDatabase database_ ABSL_GUARDED_BY(mu_);
};

}  // namespace clm
