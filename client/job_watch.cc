#include "client/job_watch.h"

#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/render.h"
#include "clm/v1/job.grpc.pb.h"
#include "clm/v1/service.grpc.pb.h"

namespace clm::client {
namespace {

// Attempts to take up a broken watch before giving up; the pause doubles each time.
constexpr int kMaxReconnects = 6;

bool IsFinal(v1::JobState state) {
  return state == v1::JOB_STATE_SUCCEEDED || state == v1::JOB_STATE_FAILED || state == v1::JOB_STATE_CANCELLED;
}

// One connection: reads events until the stream ends. Updates `job` and `cursor`.
grpc::Status FollowOnce(Session& session, ProgressLine& line, uint64_t& cursor, v1::Job& job, bool& interrupted) {
  const auto stub = v1::JobService::NewStub(session.channel());
  grpc::ClientContext context;
  const InterruptScope scope([&context] { context.TryCancel(); });
  v1::WatchJobRequest request;
  request.set_job(job.name());
  request.set_cursor(cursor);
  const auto reader = stub->WatchJob(&context, request);
  v1::JobEvent event;
  while (reader->Read(&event)) {
    cursor = event.cursor();
    job = event.job();
    line.Show(job.progress());
  }
  grpc::Status status = reader->Finish();
  interrupted = scope.interrupted();
  return status;
}

int ReportEnd(Session& session, const v1::Job& job) {
  if (job.state() == v1::JOB_STATE_SUCCEEDED) return kExitOk;
  if (job.state() == v1::JOB_STATE_CANCELLED) {
    session.Note(absl::StrCat(job.name(), " was cancelled"));
    return kExitFailed;
  }
  for (const std::string& log : job.error().log_tail()) session.Note(absl::StrCat("  | ", log));
  return session.Report(absl::Status(static_cast<absl::StatusCode>(job.error().code()),
                                     absl::StrCat(job.name(), " failed: ", job.error().message())));
}

grpc::Status Submit(Session& session, const v1::SubmitJobRequest& request, v1::Job& job) {
  const auto stub = v1::CompressionService::NewStub(session.channel());
  const auto context = session.UnaryContext();
  switch (request.spec().task_case()) {
    case v1::JobSpec::kTrain:
      return stub->Train(context.get(), request, &job);
    case v1::JobSpec::kEvaluate:
      return stub->EvaluateBPB(context.get(), request, &job);
    default:
      return stub->Prepare(context.get(), request, &job);
  }
}

}  // namespace

int WatchJob(Session& session, uint64_t cursor, v1::Job& job, absl::Duration pause) {
  ProgressLine line(!session.options().quiet && !session.json(), "");
  for (int failures = 0;;) {
    const uint64_t before = cursor;
    bool interrupted = false;
    const grpc::Status status = FollowOnce(session, line, cursor, job, interrupted);
    if (IsFinal(job.state())) break;
    if (interrupted) {
      line.Clear();
      std::fprintf(stderr, "detached; the job goes on. Come back with: clm job watch %s\n", IdOf(job.name()).c_str());
      return kExitInterrupted;
    }
    if (!status.ok() && status.error_code() != grpc::StatusCode::UNAVAILABLE) return session.Report(status);
    if (cursor != before) failures = 0;
    if (++failures > kMaxReconnects) return session.Report(status);
    absl::SleepFor(pause);
    pause *= 2;
  }
  line.Clear();
  return ReportEnd(session, job);
}

int RunJob(Session& session, const v1::JobSpec& spec, const SubmitOptions& options,
           const std::function<void(const v1::Job&)>& print) {
  v1::SubmitJobRequest request;
  *request.mutable_spec() = spec;
  request.set_request_id(options.request_id);
  request.set_display_name(options.display_name);
  v1::Job job;
  const grpc::Status status = Submit(session, request, job);
  if (!status.ok()) return session.Report(status);
  if (options.detach) {
    if (session.json()) {
      session.PrintJson(job);
    } else {
      std::printf("%s\n", job.name().c_str());
    }
    return kExitOk;
  }
  session.Note(absl::StrCat(job.name(), " ", StateName(job.state())));
  const int code = WatchJob(session, 0, job);
  if (code != kExitOk) return code;
  if (session.json()) {
    session.PrintJson(job);
  } else {
    print(job);
  }
  return kExitOk;
}

}  // namespace clm::client
