#include "server/job/job_runner.h"

#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "google/protobuf/text_format.h"
#include "server/job/job_request.h"
#include "server/job/worker_event_reader.h"
#include "server/job/worker_log.h"

namespace clm {
namespace {

// How soon a cancellation and the end of a worker are noticed.
constexpr absl::Duration kLookAround = absl::Milliseconds(50);
constexpr absl::Duration kJournalRetry = absl::Seconds(1);
constexpr uint32_t kMaxSlots = 64;
constexpr uint32_t kMaxResumes = 100;

bool IsCancelled(const v1::JobError& error) { return error.code() == static_cast<int>(absl::StatusCode::kCancelled); }

}  // namespace

struct JobRunner::Attempt {
  Attempt(uint32_t slot_number, v1::Job job_value, WorkerLog worker_log)
      : slot(slot_number), job(std::move(job_value)), log(std::move(worker_log)) {}

  const uint32_t slot;
  const v1::Job job;
  WorkerLog log;
  WorkerEventReader reader;
  std::optional<v1::JobResult> result;
  std::optional<v1::JobError> error;
  absl::Status protocol;  // not OK: what the worker did wrong on its event pipe
  WorkerExit exit;
  bool asked_to_stop = false;
  absl::Duration kill_at = absl::InfiniteDuration();  // on the monotonic clock
};

absl::Status JobRunnerOptions::Validate() const {
  if (slots < 1 || slots > kMaxSlots) {
    return absl::InvalidArgumentError(absl::StrCat("slots: ", slots, " is not in [1, ", kMaxSlots, "]"));
  }
  if (max_resumes > kMaxResumes) {
    return absl::InvalidArgumentError(absl::StrCat("max_resumes: ", max_resumes, " is not in [0, ", kMaxResumes, "]"));
  }
  if (worker_path.empty() || data_dir.empty()) {
    return absl::InvalidArgumentError("worker_path and data_dir are required");
  }
  return absl::OkStatus();
}

JobRunner::JobRunner(JobTable& table, JobRunnerOptions options) : table_(table), options_(std::move(options)) {}

JobRunner::~JobRunner() { Stop(); }

std::string JobRunner::FolderOf(absl::string_view job_id) const {
  return JoinPath(JoinPath(options_.data_dir, "jobs"), job_id);
}

absl::Status JobRunner::Start() {
  CLM_RETURN_IF_ERROR(options_.Validate());
  const std::string folder = JoinPath(options_.data_dir, "jobs");
  CLM_RETURN_IF_ERROR(options_.files->MakeDirectories(folder));
  CLM_ASSIGN_OR_RETURN(const std::vector<std::string> names, options_.files->List(folder));
  for (const std::string& name : names) {
    if (!table_.Get(name).ok()) CLM_RETURN_IF_ERROR(RemoveFiles(name));
  }
  for (uint32_t slot = 0; slot < options_.slots; ++slot) slots_.emplace_back([this, slot] { RunSlot(slot); });
  return absl::OkStatus();
}

void JobRunner::Stop() {
  if (stopping_.exchange(true)) return;
  stop_.Notify();
  table_.Close();
  for (std::thread& slot : slots_) slot.join();
}

absl::Status JobRunner::RemoveFiles(absl::string_view job_id) { return options_.files->RemoveTree(FolderOf(job_id)); }

void JobRunner::RunSlot(uint32_t slot) {
  while (!stop_.HasBeenNotified()) {
    const absl::StatusOr<std::optional<ClaimedJob>> claimed = table_.Claim();
    if (!claimed.ok()) {
      Log(LogLevel::kError, "cannot start a job", {{"error", claimed.status().ToString()}});
      stop_.WaitForNotificationWithTimeout(kJournalRetry);
      continue;
    }
    if (!claimed->has_value()) return;
    const ClaimedJob& job = **claimed;
    if (options_.observer != nullptr) options_.observer->OnStart(slot, job.job, job.queued);
    RunJob(slot, job.job);
    if (options_.observer != nullptr) options_.observer->OnStop(slot, table_.Get(job.job.name()).value_or(job.job));
  }
}

absl::StatusOr<WorkerProcess> JobRunner::StartWorker(const v1::Job& job) {
  const std::string folder = FolderOf(JobIdOf(job.name()));
  CLM_RETURN_IF_ERROR(options_.files->MakeDirectories(folder));
  std::string text;
  if (!google::protobuf::TextFormat::PrintToString(job.spec(), &text)) {
    return absl::InternalError(absl::StrCat("cannot write the spec of ", job.name(), " as text"));
  }
  const std::string file = JoinPath(folder, "job.txtpb");
  CLM_RETURN_IF_ERROR(WriteFileAtomically(*options_.files, file, text));
  WorkerCommand command;
  command.program = options_.worker_path;
  command.directory = folder;
  command.arguments = {absl::StrCat("--job_file=", file), absl::StrCat("--data_dir=", options_.data_dir),
                       absl::StrCat("--work_dir=", folder), absl::StrCat("--event_fd=", kWorkerEventFd)};
  return WorkerProcess::Start(command);
}

void JobRunner::RunJob(uint32_t slot, const v1::Job& job) {
  const std::string folder = FolderOf(JobIdOf(job.name()));
  absl::StatusOr<WorkerProcess> worker = StartWorker(job);
  Attempt attempt(slot, job, WorkerLog(*options_.files, JoinPath(folder, "log"), options_.max_log_bytes));
  if (worker.ok()) {
    Log(LogLevel::kInfo, "worker started", {{"job", job.name()}, {"slot", slot}, {"pid", worker->pid()}});
    Follow(*worker, attempt);
  } else {
    v1::JobError error;
    error.set_code(static_cast<int>(worker.status().code()));
    error.set_message(std::string(worker.status().message()));
    attempt.error = error;
  }
  SettleDurably(attempt);
}

void JobRunner::Follow(WorkerProcess& worker, Attempt& attempt) {
  std::string events;
  std::string log;
  while (worker.Read(kLookAround, events, log)) {
    attempt.log.Append(log);
    TakeEvents(events, worker, attempt);
    events.clear();
    log.clear();
    const absl::Status flushed = table_.FlushProgress(attempt.job.name());
    if (!flushed.ok()) Log(LogLevel::kWarning, "progress is not stored", {{"error", flushed.ToString()}});
    PassOnSignals(worker, attempt);
  }
  attempt.exit = worker.Wait();
}

void JobRunner::TakeEvents(absl::string_view bytes, WorkerProcess& worker, Attempt& attempt) {
  if (bytes.empty() || !attempt.protocol.ok()) return;
  absl::StatusOr<std::vector<v1::WorkerEvent>> events = attempt.reader.Feed(bytes);
  if (!events.ok()) {
    attempt.protocol = events.status();
    worker.Signal(SIGKILL);
    return;
  }
  for (v1::WorkerEvent& event : *events) {
    if (event.has_result()) attempt.result = std::move(*event.mutable_result());
    if (event.has_error()) attempt.error = std::move(*event.mutable_error());
    if (event.has_log_line()) attempt.log.Append(absl::StrCat(event.log_line(), "\n"));
    if (!event.has_progress()) continue;
    const absl::Status reported = table_.Report(attempt.job.name(), event.progress());
    if (!reported.ok()) Log(LogLevel::kWarning, "progress is not stored", {{"error", reported.ToString()}});
    if (options_.observer != nullptr) options_.observer->OnProgress(attempt.slot, attempt.job.kind(), event.progress());
  }
}

void JobRunner::PassOnSignals(WorkerProcess& worker, Attempt& attempt) {
  const absl::Duration now = options_.clock->Monotonic();
  if (!attempt.asked_to_stop && (stop_.HasBeenNotified() || table_.CancelRequested(attempt.job.name()))) {
    attempt.asked_to_stop = true;
    attempt.kill_at = now + options_.cancel_grace;
    worker.Signal(SIGTERM);
  }
  if (now >= attempt.kill_at) worker.Signal(SIGKILL);
}

v1::JobError JobRunner::DeathOf(const Attempt& attempt) const {
  v1::JobError error;
  error.set_code(static_cast<int>(absl::StatusCode::kInternal));
  error.set_signal(attempt.exit.signal);
  if (!attempt.protocol.ok()) {
    error.set_message(std::string(attempt.protocol.message()));
  } else if (attempt.exit.signal != 0) {
    error.set_message(absl::StrCat("the worker was ended by signal ", attempt.exit.signal, " (",
                                   strsignal(attempt.exit.signal), ")"));
  } else {
    error.set_message(absl::StrCat("the worker ended with status ", attempt.exit.status,
                                   attempt.result.has_value() ? " after its result" : " and without a result"));
  }
  for (std::string& line : attempt.log.Tail()) error.add_log_tail(std::move(line));
  return error;
}

absl::Status JobRunner::Settle(const Attempt& attempt) {
  const std::string& name = attempt.job.name();
  const bool orderly = attempt.protocol.ok() && attempt.exit.signal == 0;
  if (orderly && attempt.exit.status == 0 && attempt.result.has_value()) {
    return table_.Succeed(name, *attempt.result);
  }
  const bool cancelled = table_.CancelRequested(name);
  if (orderly && attempt.error.has_value() && !IsCancelled(*attempt.error)) {
    v1::JobError error = *attempt.error;
    error.clear_log_tail();
    for (std::string& line : attempt.log.Tail()) error.add_log_tail(std::move(line));
    return table_.Fail(name, error);
  }
  if (cancelled) return table_.MarkCancelled(name);
  if (stop_.HasBeenNotified()) return table_.Requeue(name);
  return table_.RequeueAfterDeath(name, DeathOf(attempt), options_.max_resumes);
}

void JobRunner::SettleDurably(const Attempt& attempt) {
  while (true) {
    const absl::Status status = Settle(attempt);
    const auto job = table_.Get(attempt.job.name());
    if (status.ok()) {
      const std::string state = job.ok() ? std::string(v1::JobState_Name(job->state())) : "gone";
      Log(LogLevel::kInfo, "worker ended",
          {{"job", attempt.job.name()},
           {"state", state},
           {"status", attempt.exit.status},
           {"signal", attempt.exit.signal}});
      return;
    }
    Log(LogLevel::kError, "cannot store the end of a job", {{"job", attempt.job.name()}, {"error", status.ToString()}});
    if (stop_.WaitForNotificationWithTimeout(kJournalRetry)) return;
  }
}

}  // namespace clm
