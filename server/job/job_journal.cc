#include "server/job/job_journal.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/clock.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr uint64_t kSchemaVersion = 1;
constexpr char kCreateSchema[] = R"sql(
CREATE TABLE jobs (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  deaths INTEGER NOT NULL,
  cursor INTEGER NOT NULL,
  digest BLOB NOT NULL,
  job BLOB NOT NULL
);
CREATE TABLE events (
  sequence INTEGER NOT NULL,
  cursor INTEGER NOT NULL,
  progress INTEGER NOT NULL,
  job BLOB NOT NULL,
  PRIMARY KEY (sequence, cursor)
) WITHOUT ROWID;
PRAGMA user_version = 1;
)sql";

absl::StatusOr<v1::Job> ParseJob(const std::string& blob, uint64_t sequence) {
  v1::Job job;
  if (!job.ParseFromString(blob)) {
    return absl::DataLossError(absl::StrCat("journal: job ", sequence, " cannot be read"));
  }
  return job;
}

}  // namespace

JobJournal::JobJournal(JobJournalOptions options, SqliteDatabase database)
    : options_(std::move(options)), database_(std::move(database)) {}

absl::StatusOr<std::unique_ptr<JobJournal>> JobJournal::Open(JobJournalOptions options) {
  CLM_ASSIGN_OR_RETURN(SqliteDatabase database, SqliteDatabase::Open(options.path));
  std::unique_ptr<JobJournal> journal(new JobJournal(std::move(options), std::move(database)));
  absl::MutexLock lock(&journal->mu_);
  CLM_RETURN_IF_ERROR(journal->Configure());
  CLM_RETURN_IF_ERROR(journal->Migrate());
  return journal;
}

absl::Status JobJournal::Configure() {
  CLM_RETURN_IF_ERROR(database_.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"));
  if (options_.max_size_bytes == 0) return absl::OkStatus();
  CLM_ASSIGN_OR_RETURN(const uint64_t page_bytes, Ask("PRAGMA page_size"));
  const uint64_t pages = std::max<uint64_t>(1, options_.max_size_bytes / page_bytes);
  return database_.Execute(absl::StrCat("PRAGMA max_page_count = ", pages));
}

absl::Status JobJournal::Migrate() {
  CLM_ASSIGN_OR_RETURN(const uint64_t version, Ask("PRAGMA user_version"));
  if (version == kSchemaVersion) return absl::OkStatus();
  if (version > kSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat("journal ", options_.path, " has version ", version,
                                                      ", this server knows versions up to ", kSchemaVersion));
  }
  return Transact([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return database_.Execute(kCreateSchema); });
}

absl::StatusOr<uint64_t> JobJournal::Ask(absl::string_view sql) {
  CLM_ASSIGN_OR_RETURN(SqliteStatement statement, database_.Prepare(sql));
  CLM_ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.ColumnInteger(0) : 0;
}

absl::Status JobJournal::Transact(const std::function<absl::Status()>& change) {
  const absl::Duration start = SystemClock().Monotonic();
  CLM_RETURN_IF_ERROR(database_.Execute("BEGIN IMMEDIATE"));
  absl::Status status = change();
  if (status.ok()) status = database_.Execute("COMMIT");
  if (!status.ok()) {
    // A full disk may have rolled back already; then this says so and changes nothing.
    database_.Execute("ROLLBACK").IgnoreError();
    return status;
  }
  if (options_.on_commit) options_.on_commit(SystemClock().Monotonic() - start);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<JobRecord>> JobJournal::Load() {
  absl::MutexLock lock(&mu_);
  CLM_ASSIGN_OR_RETURN(SqliteStatement statement, database_.Prepare("SELECT sequence, deaths, cursor, digest, job "
                                                                    "FROM jobs ORDER BY sequence"));
  std::vector<JobRecord> records;
  while (true) {
    CLM_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return records;
    JobRecord record;
    record.sequence = statement.ColumnInteger(0);
    record.deaths = static_cast<uint32_t>(statement.ColumnInteger(1));
    record.cursor = statement.ColumnInteger(2);
    record.spec_digest = statement.ColumnBlob(3);
    CLM_ASSIGN_OR_RETURN(record.job, ParseJob(statement.ColumnBlob(4), record.sequence));
    records.push_back(std::move(record));
  }
}

absl::StatusOr<uint64_t> JobJournal::NextSequence() {
  absl::MutexLock lock(&mu_);
  CLM_ASSIGN_OR_RETURN(const uint64_t last, Ask("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'"));
  return last + 1;
}

absl::Status JobJournal::WriteRows(const JobRecord& record, EventKind kind) {
  CLM_ASSIGN_OR_RETURN(
      SqliteStatement job,
      database_.Prepare("INSERT INTO jobs (sequence, deaths, cursor, digest, job) VALUES (?1, ?2, ?3, ?4, ?5) "
                        "ON CONFLICT (sequence) DO UPDATE SET deaths = ?2, cursor = ?3, digest = ?4, job = ?5"));
  job.BindInteger(1, record.sequence);
  job.BindInteger(2, record.deaths);
  job.BindInteger(3, record.cursor);
  job.BindBlob(4, record.spec_digest);
  job.BindBlob(5, record.job.SerializeAsString());
  CLM_RETURN_IF_ERROR(job.Run());

  CLM_ASSIGN_OR_RETURN(SqliteStatement old_progress,
                       database_.Prepare("DELETE FROM events WHERE sequence = ? AND progress = 1"));
  old_progress.BindInteger(1, record.sequence);
  CLM_RETURN_IF_ERROR(old_progress.Run());

  CLM_ASSIGN_OR_RETURN(SqliteStatement event,
                       database_.Prepare("INSERT INTO events (sequence, cursor, progress, job) VALUES (?, ?, ?, ?)"));
  v1::Job without_spec = record.job;
  without_spec.clear_spec();
  event.BindInteger(1, record.sequence);
  event.BindInteger(2, record.cursor);
  event.BindInteger(3, kind == EventKind::kProgress ? 1 : 0);
  event.BindBlob(4, without_spec.SerializeAsString());
  return event.Run();
}

absl::Status JobJournal::Write(const JobRecord& record, EventKind kind) {
  absl::MutexLock lock(&mu_);
  return Transact([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return WriteRows(record, kind); });
}

absl::Status JobJournal::DeleteRows(uint64_t sequence) {
  for (const char* sql : {"DELETE FROM events WHERE sequence = ?", "DELETE FROM jobs WHERE sequence = ?"}) {
    CLM_ASSIGN_OR_RETURN(SqliteStatement statement, database_.Prepare(sql));
    statement.BindInteger(1, sequence);
    CLM_RETURN_IF_ERROR(statement.Run());
  }
  return absl::OkStatus();
}

absl::Status JobJournal::Delete(uint64_t sequence) {
  absl::MutexLock lock(&mu_);
  return Transact([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return DeleteRows(sequence); });
}

absl::StatusOr<std::vector<v1::JobEvent>> JobJournal::Events(uint64_t sequence, uint64_t cursor, uint64_t limit) {
  absl::MutexLock lock(&mu_);
  CLM_ASSIGN_OR_RETURN(SqliteStatement statement,
                       database_.Prepare("SELECT cursor, job FROM events WHERE sequence = ? AND cursor > ? "
                                         "ORDER BY cursor LIMIT ?"));
  statement.BindInteger(1, sequence);
  statement.BindInteger(2, cursor);
  statement.BindInteger(3, limit);
  std::vector<v1::JobEvent> events;
  while (true) {
    CLM_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return events;
    v1::JobEvent event;
    event.set_cursor(statement.ColumnInteger(0));
    CLM_ASSIGN_OR_RETURN(*event.mutable_job(), ParseJob(statement.ColumnBlob(1), sequence));
    events.push_back(std::move(event));
  }
}

}  // namespace clm
