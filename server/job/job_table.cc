#include "server/job/job_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "server/job/job_request.h"
#include "server/service/error_detail.h"

namespace clm {
namespace {

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  google::protobuf::Timestamp result;
  const int64_t seconds = absl::ToUnixSeconds(time);
  result.set_seconds(seconds);
  result.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return result;
}

// The journal only holds states that this server wrote.
JobState StateOf(const v1::Job& job) { return JobStateFromProto(job.state()).value_or(JobState::kFailed); }

absl::Status NoSuchJob(absl::string_view name) {
  return WithReason(absl::NotFoundError(absl::StrCat("no job ", name)), "JOB_NOT_FOUND", {{"job", name}});
}

absl::Status WrongState(const v1::Job& job, absl::string_view wish) {
  const std::string state(JobStateName(StateOf(job)));
  return WithReason(absl::FailedPreconditionError(absl::StrCat(job.name(), " is ", state, " and cannot be ", wish)),
                    "JOB_STATE", {{"job", job.name()}, {"state", state}});
}

absl::Status ServerStops() {
  return WithReason(absl::UnavailableError("the server is shutting down"), "SHUTTING_DOWN");
}

}  // namespace

JobTable::JobTable(std::unique_ptr<JobJournal> journal, const JobTableOptions& options)
    : journal_(std::move(journal)), options_(options) {}

absl::StatusOr<std::unique_ptr<JobTable>> JobTable::Open(std::unique_ptr<JobJournal> journal,
                                                         const JobTableOptions& options) {
  std::unique_ptr<JobTable> table(new JobTable(std::move(journal), options));
  CLM_RETURN_IF_ERROR(table->Recover());
  return table;
}

absl::Status JobTable::Recover() {
  CLM_ASSIGN_OR_RETURN(std::vector<JobRecord> records, journal_->Load());
  absl::MutexLock write(&write_mu_);
  CLM_ASSIGN_OR_RETURN(next_sequence_, journal_->NextSequence());
  for (JobRecord& record : records) {
    const uint64_t sequence = record.sequence;
    const JobState state = StateOf(record.job);
    Notify(record.job, std::nullopt, state);
    Show(std::move(record), EventKind::kState);
    if (state != JobState::kRunning) continue;
    const auto requeued = Apply(sequence, EventKind::kState, [this](JobRecord& running) {
      return Move(running, running.job.cancel_requested() ? JobState::kCancelled : JobState::kQueued);
    });
    CLM_RETURN_IF_ERROR(requeued.status());
  }
  return absl::OkStatus();
}

void JobTable::Notify(const v1::Job& job, std::optional<JobState> from, std::optional<JobState> to) const {
  if (options_.observer != nullptr && from != to) options_.observer->OnMove(job.kind(), from, to);
}

absl::Status JobTable::Move(JobRecord& record, JobState to) const {
  v1::Job& job = record.job;
  const JobState from = StateOf(job);
  if (!CanMove(from, to)) return WrongState(job, absl::StrCat("made ", JobStateName(to)));
  const auto now = ToTimestamp(options_.clock->Now());
  job.set_state(ToProto(to));
  if (to == JobState::kRunning) {
    if (!job.has_start_time()) *job.mutable_start_time() = now;
    job.set_attempts(job.attempts() + 1);
  }
  if (IsFinal(to)) {
    *job.mutable_end_time() = now;
    job.set_cancel_requested(false);
  } else {
    job.clear_end_time();
  }
  if (to != JobState::kFailed) job.clear_error();
  return absl::OkStatus();
}

void JobTable::Show(JobRecord record, EventKind kind) {
  const JobState state = StateOf(record.job);
  const absl::Time now = options_.clock->Now();
  absl::MutexLock lock(&mu_);
  Entry& entry = entries_[record.sequence];
  const bool was_queued = queued_.count(record.sequence) != 0;
  if (state == JobState::kQueued) {
    queued_.insert(record.sequence);
    if (!was_queued) entry.queued_at = now;
  } else {
    queued_.erase(record.sequence);
  }
  by_id_.emplace(std::string(JobIdOf(record.job.name())), record.sequence);
  if (!record.job.request_id().empty()) by_request_.emplace(record.job.request_id(), record.sequence);
  if (kind == EventKind::kProgress) entry.last_progress = now;
  entry.progress_pending = false;
  entry.record = std::move(record);
}

absl::StatusOr<v1::Job> JobTable::Apply(uint64_t sequence, EventKind kind, const Change& change) {
  JobRecord record;
  {
    absl::MutexLock lock(&mu_);
    record = entries_.at(sequence).record;
  }
  const JobState before = StateOf(record.job);
  CLM_RETURN_IF_ERROR(change(record));
  ++record.cursor;
  CLM_RETURN_IF_ERROR(journal_->Write(record, kind));
  v1::Job job = record.job;
  Show(std::move(record), kind);
  Notify(job, before, StateOf(job));
  return job;
}

absl::StatusOr<v1::Job> JobTable::ApplyTo(absl::string_view name, const Change& change) {
  absl::MutexLock write(&write_mu_);
  CLM_ASSIGN_OR_RETURN(const uint64_t sequence, Find(name));
  return Apply(sequence, EventKind::kState, change);
}

absl::StatusOr<uint64_t> JobTable::FindLocked(absl::string_view name) const {
  const auto found = by_id_.find(std::string(JobIdOf(name)));
  if (found == by_id_.end()) return NoSuchJob(name);
  return found->second;
}

absl::StatusOr<uint64_t> JobTable::Find(absl::string_view name) const {
  absl::MutexLock lock(&mu_);
  return FindLocked(name);
}

absl::Status JobTable::CheckRoomInQueue() const {
  absl::MutexLock lock(&mu_);
  if (closed_) return ServerStops();
  if (queued_.size() < options_.max_queued_jobs) return absl::OkStatus();
  const std::string waiting = absl::StrCat(queued_.size());
  const std::string limit = absl::StrCat(options_.max_queued_jobs);
  return WithRetry(WithReason(absl::ResourceExhaustedError(absl::StrCat(waiting, " jobs wait, the limit is ", limit)),
                              "JOB_QUEUE_FULL", {{"queued", waiting}, {"limit", limit}}),
                   options_.retry_delay);
}

absl::StatusOr<std::optional<v1::Job>> JobTable::FindRequest(const v1::SubmitJobRequest& request,
                                                             const std::string& digest) const {
  if (request.request_id().empty()) return std::nullopt;
  absl::MutexLock lock(&mu_);
  const auto found = by_request_.find(request.request_id());
  if (found == by_request_.end()) return std::nullopt;
  const JobRecord& record = entries_.at(found->second).record;
  if (record.spec_digest == digest) return record.job;
  return WithReason(absl::AlreadyExistsError(absl::StrCat("request_id ", request.request_id(), " belongs to ",
                                                          record.job.name(), ", which has another spec")),
                    "REQUEST_ID_REUSED", {{"request_id", request.request_id()}, {"job", record.job.name()}});
}

absl::StatusOr<v1::Job> JobTable::Add(const v1::SubmitJobRequest& request, const std::string& digest) {
  JobRecord record;
  record.sequence = next_sequence_;
  record.cursor = 1;
  record.spec_digest = digest;
  v1::Job& job = record.job;
  job.set_kind(KindOf(request.spec()));
  const std::string id = absl::StrCat(KindName(job.kind()), "-", record.sequence);
  job.set_name(absl::StrCat("jobs/", id));
  job.set_state(v1::JOB_STATE_QUEUED);
  *job.mutable_spec() = request.spec();
  job.mutable_spec()->set_job_id(id);
  job.set_request_id(request.request_id());
  job.set_display_name(request.display_name());
  *job.mutable_create_time() = ToTimestamp(options_.clock->Now());
  CLM_RETURN_IF_ERROR(journal_->Write(record, EventKind::kState));
  ++next_sequence_;
  v1::Job result = job;
  Show(std::move(record), EventKind::kState);
  Notify(result, std::nullopt, JobState::kQueued);
  return result;
}

absl::StatusOr<v1::Job> JobTable::Submit(const v1::SubmitJobRequest& request,
                                         const std::function<absl::Status()>& check) {
  CLM_RETURN_IF_ERROR(CheckSubmitRequest(request));
  const std::string digest = SpecDigest(request.spec());
  absl::MutexLock write(&write_mu_);
  CLM_ASSIGN_OR_RETURN(std::optional<v1::Job> known, FindRequest(request, digest));
  if (known.has_value()) return *std::move(known);
  CLM_RETURN_IF_ERROR(CheckRoomInQueue());
  if (check) CLM_RETURN_IF_ERROR(check());
  return Add(request, digest);
}

absl::Status JobTable::DeleteUnread(absl::string_view artifact_hex, const std::function<absl::Status()>& remove) {
  absl::MutexLock write(&write_mu_);
  {
    absl::MutexLock lock(&mu_);
    for (const auto& [sequence, entry] : entries_) {
      const v1::Job& job = entry.record.job;
      const JobState state = StateOf(job);
      if (state != JobState::kQueued && state != JobState::kRunning) continue;
      for (const std::string& name : InputArtifacts(job.spec())) {
        // Names end in the id or a prefix of it. A prefix that fits another artifact too keeps both.
        if (!absl::StartsWith(artifact_hex, absl::string_view(name).substr(name.rfind('/') + 1))) continue;
        return WithReason(absl::FailedPreconditionError(
                              absl::StrCat(job.name(), " is ", state == JobState::kQueued ? "queued" : "running",
                                           " and reads ", name, "; cancel it or wait for its end")),
                          "ARTIFACT_IN_USE", {{"job", job.name()}});
      }
    }
  }
  return remove();
}

absl::StatusOr<std::optional<v1::Job>> JobTable::FindSubmitted(const v1::SubmitJobRequest& request) const {
  CLM_RETURN_IF_ERROR(CheckSubmitRequest(request));
  return FindRequest(request, SpecDigest(request.spec()));
}

absl::StatusOr<v1::Job> JobTable::Get(absl::string_view name) const {
  absl::MutexLock lock(&mu_);
  CLM_ASSIGN_OR_RETURN(const uint64_t sequence, FindLocked(name));
  return entries_.at(sequence).record.job;
}

JobPage JobTable::List(const JobFilter& filter) const {
  JobPage page;
  absl::MutexLock lock(&mu_);
  auto entry = filter.before_sequence == 0 ? entries_.end() : entries_.lower_bound(filter.before_sequence);
  uint64_t last = 0;
  while (entry != entries_.begin()) {
    --entry;
    const v1::Job& job = entry->second.record.job;
    if (filter.state.has_value() && StateOf(job) != *filter.state) continue;
    if (page.jobs.size() == filter.limit) {
      page.next_before_sequence = last;
      break;
    }
    page.jobs.push_back(job);
    last = entry->first;
  }
  return page;
}

absl::StatusOr<v1::Job> JobTable::Cancel(absl::string_view name) {
  absl::MutexLock write(&write_mu_);
  CLM_ASSIGN_OR_RETURN(v1::Job job, Get(name));
  CLM_ASSIGN_OR_RETURN(const uint64_t sequence, Find(name));
  switch (StateOf(job)) {
    case JobState::kQueued:
      return Apply(sequence, EventKind::kState,
                   [this](JobRecord& record) { return Move(record, JobState::kCancelled); });
    case JobState::kRunning:
      if (job.cancel_requested()) return job;
      return Apply(sequence, EventKind::kState, [](JobRecord& record) {
        record.job.set_cancel_requested(true);
        return absl::OkStatus();
      });
    case JobState::kCancelled:
      return job;
    case JobState::kSucceeded:
    case JobState::kFailed:
      break;
  }
  return WrongState(job, "cancelled");
}

absl::StatusOr<v1::Job> JobTable::Resume(absl::string_view name) {
  absl::MutexLock write(&write_mu_);
  CLM_ASSIGN_OR_RETURN(const v1::Job job, Get(name));
  CLM_ASSIGN_OR_RETURN(const uint64_t sequence, Find(name));
  if (StateOf(job) != JobState::kFailed && StateOf(job) != JobState::kCancelled) return WrongState(job, "resumed");
  CLM_RETURN_IF_ERROR(CheckRoomInQueue());
  return Apply(sequence, EventKind::kState, [this](JobRecord& record) {
    record.deaths = 0;
    return Move(record, JobState::kQueued);
  });
}

absl::StatusOr<v1::Job> JobTable::Delete(absl::string_view name) {
  absl::MutexLock write(&write_mu_);
  CLM_ASSIGN_OR_RETURN(v1::Job job, Get(name));
  CLM_ASSIGN_OR_RETURN(const uint64_t sequence, Find(name));
  if (!IsFinal(StateOf(job))) return WrongState(job, "deleted");
  CLM_RETURN_IF_ERROR(journal_->Delete(sequence));
  {
    absl::MutexLock lock(&mu_);
    entries_.erase(sequence);
    by_id_.erase(std::string(JobIdOf(job.name())));
    by_request_.erase(job.request_id());
  }
  Notify(job, StateOf(job), std::nullopt);
  return job;
}

std::optional<JobEvents> JobTable::NextEventLocked(const Entry& entry, uint64_t cursor) const {
  const JobRecord& record = entry.record;
  JobEvents result;
  result.final = IsFinal(StateOf(record.job));
  if (cursor == record.cursor) return result;
  if (cursor != 0 && cursor + 1 != record.cursor) return std::nullopt;
  v1::JobEvent event;
  event.set_cursor(record.cursor);
  *event.mutable_job() = record.job;
  result.events.push_back(std::move(event));
  return result;
}

absl::StatusOr<JobEvents> JobTable::WaitForEvents(absl::string_view name, uint64_t cursor, absl::Duration timeout) {
  constexpr uint64_t kMaxEvents = 256;
  uint64_t sequence = 0;
  uint64_t last_cursor = 0;
  v1::JobSpec spec;
  bool final = false;
  {
    absl::MutexLock lock(&mu_);
    CLM_ASSIGN_OR_RETURN(sequence, FindLocked(name));
    if (cursor > entries_.at(sequence).record.cursor) {
      return absl::OutOfRangeError(
          absl::StrCat("cursor ", cursor, " is beyond the last event, ", entries_.at(sequence).record.cursor));
    }
    const auto ready = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      const auto entry = entries_.find(sequence);
      return closed_ || entry == entries_.end() || entry->second.record.cursor > cursor ||
             IsFinal(StateOf(entry->second.record.job));
    };
    mu_.AwaitWithTimeout(absl::Condition(&ready), timeout);
    const auto entry = entries_.find(sequence);
    if (entry == entries_.end()) return NoSuchJob(name);
    if (std::optional<JobEvents> next = NextEventLocked(entry->second, cursor)) {
      if (next->events.empty() && !next->final && closed_) return ServerStops();
      return *std::move(next);
    }
    spec = entry->second.record.job.spec();
    last_cursor = entry->second.record.cursor;
    final = IsFinal(StateOf(entry->second.record.job));
  }
  JobEvents result;
  CLM_ASSIGN_OR_RETURN(result.events, journal_->Events(sequence, cursor, kMaxEvents));
  if (result.events.empty()) return NoSuchJob(name);
  for (v1::JobEvent& event : result.events) *event.mutable_job()->mutable_spec() = spec;
  result.final = final && result.events.back().cursor() == last_cursor;
  return result;
}

absl::StatusOr<std::optional<ClaimedJob>> JobTable::Claim() {
  while (true) {
    {
      absl::MutexLock lock(&mu_);
      const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return closed_ || !queued_.empty(); };
      mu_.Await(absl::Condition(&ready));
      if (closed_) return std::nullopt;
    }
    absl::MutexLock write(&write_mu_);
    uint64_t sequence = 0;
    absl::Time queued_at;
    {
      absl::MutexLock lock(&mu_);
      if (closed_ || queued_.empty()) continue;  // another runner, or a cancel, was faster
      sequence = *queued_.begin();
      queued_at = entries_.at(sequence).queued_at;
    }
    CLM_ASSIGN_OR_RETURN(v1::Job job, Apply(sequence, EventKind::kState,
                                            [this](JobRecord& record) { return Move(record, JobState::kRunning); }));
    return ClaimedJob{.job = std::move(job), .queued = options_.clock->Now() - queued_at};
  }
}

absl::Status JobTable::Succeed(absl::string_view name, const v1::JobResult& result) {
  return ApplyTo(name,
                 [&](JobRecord& record) {
                   *record.job.mutable_result() = result;
                   return Move(record, JobState::kSucceeded);
                 })
      .status();
}

absl::Status JobTable::Fail(absl::string_view name, const v1::JobError& error) {
  return ApplyTo(name,
                 [&](JobRecord& record) {
                   *record.job.mutable_error() = error;
                   return Move(record, JobState::kFailed);
                 })
      .status();
}

absl::Status JobTable::MarkCancelled(absl::string_view name) {
  return ApplyTo(name, [this](JobRecord& record) { return Move(record, JobState::kCancelled); }).status();
}

absl::Status JobTable::Requeue(absl::string_view name) {
  return ApplyTo(name, [this](JobRecord& record) { return Move(record, JobState::kQueued); }).status();
}

absl::Status JobTable::RequeueAfterDeath(absl::string_view name, const v1::JobError& error, uint32_t max_resumes) {
  return ApplyTo(name,
                 [&](JobRecord& record) {
                   const bool again = record.deaths < max_resumes;
                   ++record.deaths;
                   absl::Status moved = Move(record, again ? JobState::kQueued : JobState::kFailed);
                   *record.job.mutable_error() = error;
                   return moved;
                 })
      .status();
}

absl::Status JobTable::Report(absl::string_view name, const v1::JobProgress& progress) {
  {
    absl::MutexLock write(&write_mu_);
    CLM_ASSIGN_OR_RETURN(const uint64_t sequence, Find(name));
    absl::MutexLock lock(&mu_);
    Entry& entry = entries_.at(sequence);
    *entry.record.job.mutable_progress() = progress;
    *entry.record.job.mutable_progress()->mutable_update_time() = ToTimestamp(options_.clock->Now());
    entry.progress_pending = true;
  }
  return FlushProgress(name);
}

absl::Status JobTable::FlushProgress(absl::string_view name) {
  absl::MutexLock write(&write_mu_);
  CLM_ASSIGN_OR_RETURN(const uint64_t sequence, Find(name));
  {
    absl::MutexLock lock(&mu_);
    const Entry& entry = entries_.at(sequence);
    if (!entry.progress_pending || options_.clock->Now() - entry.last_progress < options_.progress_interval) {
      return absl::OkStatus();
    }
  }
  return Apply(sequence, EventKind::kProgress, [](JobRecord&) { return absl::OkStatus(); }).status();
}

bool JobTable::CancelRequested(absl::string_view name) const {
  absl::MutexLock lock(&mu_);
  const absl::StatusOr<uint64_t> sequence = FindLocked(name);
  return sequence.ok() && entries_.at(*sequence).record.job.cancel_requested();
}

std::vector<std::string> JobTable::Ids() const {
  absl::MutexLock lock(&mu_);
  std::vector<std::string> ids;
  ids.reserve(entries_.size());
  for (const auto& [sequence, entry] : entries_) ids.emplace_back(JobIdOf(entry.record.job.name()));
  return ids;
}

void JobTable::Close() {
  absl::MutexLock lock(&mu_);
  closed_ = true;
}

}  // namespace clm
