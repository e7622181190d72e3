#include <cstdio>
#include <functional>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/command.h"
#include "client/job_watch.h"
#include "client/render.h"
#include "clm/v1/job.grpc.pb.h"

namespace clm::client {
namespace {

using Stub = v1::JobService::Stub;

void PrintJob(const v1::Job& job) {
  std::printf("job       %s\nkind      %s\nstate     %s%s\n", job.name().c_str(), KindName(job.kind()).c_str(),
              StateName(job.state()).c_str(), job.cancel_requested() ? " (cancel requested)" : "");
  if (!job.display_name().empty()) std::printf("name      %s\n", job.display_name().c_str());
  std::printf("created   %s\nstarted   %s\nended     %s\nattempts  %u\n", TimeText(job.create_time()).c_str(),
              TimeText(job.start_time()).c_str(), TimeText(job.end_time()).c_str(), job.attempts());
  if (job.has_progress()) std::printf("progress  %s\n", ProgressText(job.progress()).c_str());
  if (job.has_error()) std::printf("error     %s\n", job.error().message().c_str());
}

int ShowJob(Session& session, const grpc::Status& status, const v1::Job& job) {
  return session.Answer(status, job, [&] { PrintJob(job); });
}

int List(Session& session, const v1::ListJobsRequest& first) {
  const auto stub = v1::JobService::NewStub(session.channel());
  v1::ListJobsRequest request = first;
  v1::ListJobsResponse all;
  do {
    v1::ListJobsResponse response;
    const auto context = session.UnaryContext();
    const grpc::Status status = stub->ListJobs(context.get(), request, &response);
    if (!status.ok()) return session.Report(status);
    for (v1::Job& job : *response.mutable_jobs()) *all.add_jobs() = std::move(job);
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  if (session.json()) {
    session.PrintJson(all);
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows = {{"job", "kind", "state", "created", "progress"}};
  for (const v1::Job& job : all.jobs()) {
    rows.push_back({IdOf(job.name()), KindName(job.kind()), StateName(job.state()), TimeText(job.create_time()),
                    job.state() == v1::JOB_STATE_RUNNING ? ProgressText(job.progress()) : job.display_name()});
  }
  std::printf("%s", Table(rows).c_str());
  return kExitOk;
}

int Watch(Session& session, const std::string& id) {
  const auto stub = v1::JobService::NewStub(session.channel());
  v1::GetJobRequest request;
  request.set_job(id);
  v1::Job job;
  const auto context = session.UnaryContext();
  const grpc::Status status = stub->GetJob(context.get(), request, &job);
  if (!status.ok()) return session.Report(status);
  const int code = WatchJob(session, 0, job);
  if (code != kExitOk) return code;
  return ShowJob(session, grpc::Status::OK, job);
}

// Adds a subcommand that takes a job and makes one call.
void AddCall(CLI::App& parent, Session& session, const char* name, const char* help,
             std::function<int(Stub&, const std::string&)> call) {
  const auto id = std::make_shared<std::string>();
  CLI::App* command = parent.add_subcommand(name, help);
  command->add_option("job", *id, "Job name or id")->required();
  command->callback([&session, id, call = std::move(call)] {
    const auto stub = v1::JobService::NewStub(session.channel());
    session.exit_code = call(*stub, *id);
  });
}

// A call whose answer is the job.
template <typename Request>
std::function<int(Stub&, const std::string&)> JobCall(Session& session,
                                                      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                                                   v1::Job*)) {
  return [&session, method](Stub& stub, const std::string& id) {
    Request request;
    request.set_job(id);
    v1::Job job;
    const auto context = session.UnaryContext();
    const grpc::Status status = (stub.*method)(context.get(), request, &job);
    return ShowJob(session, status, job);
  };
}

int Delete(Session& session, Stub& stub, const std::string& id) {
  v1::DeleteJobRequest request;
  request.set_job(id);
  v1::DeleteJobResponse response;
  const auto context = session.UnaryContext();
  return session.Report(stub.DeleteJob(context.get(), request, &response));
}

}  // namespace

void AddJob(CLI::App& app, Session& session) {
  CLI::App* command = app.add_subcommand("job", "List, watch, cancel and resume jobs");
  command->require_subcommand(1);

  const auto list = std::make_shared<v1::ListJobsRequest>();
  CLI::App* list_command = command->add_subcommand("list", "All jobs, newest first");
  list_command
      ->add_option_function<std::string>(
          "--state",
          [list](const std::string& value) {
            for (const v1::JobState state : {v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING, v1::JOB_STATE_SUCCEEDED,
                                             v1::JOB_STATE_FAILED, v1::JOB_STATE_CANCELLED}) {
              if (StateName(state) == value) list->set_state(state);
            }
          },
          "Only this state")
      ->check(CLI::IsMember({"queued", "running", "succeeded", "failed", "cancelled"}));
  list_command->callback([&session, list] { session.exit_code = List(session, *list); });

  const auto watched = std::make_shared<std::string>();
  CLI::App* watch = command->add_subcommand("watch", "Follow a job until it ends; Ctrl-C detaches");
  watch->add_option("job", *watched, "Job name or id")->required();
  watch->callback([&session, watched] { session.exit_code = Watch(session, *watched); });

  AddCall(*command, session, "show", "One job", JobCall<v1::GetJobRequest>(session, &Stub::GetJob));
  AddCall(*command, session, "cancel", "Ask a job to stop", JobCall<v1::CancelJobRequest>(session, &Stub::CancelJob));
  AddCall(*command, session, "resume", "Queue a failed or cancelled job again",
          JobCall<v1::ResumeJobRequest>(session, &Stub::ResumeJob));
  AddCall(*command, session, "delete", "Forget a job that ended; its artifacts stay",
          [&session](Stub& stub, const std::string& id) { return Delete(session, stub, id); });
}

}  // namespace clm::client
