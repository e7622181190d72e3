#include "server/service/job_service.h"

#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "server/job/job_request.h"
#include "server/service/job_handler.h"

namespace clm {

grpc::Status JobServiceImpl::GetJob(grpc::ServerContext* context, const v1::GetJobRequest* request, v1::Job* response) {
  return ServeUnary(runtime_, "JobService/GetJob", *context, *response,
                    [&](Call&) { return table_.Get(request->job()); });
}

grpc::Status JobServiceImpl::ListJobs(grpc::ServerContext* context, const v1::ListJobsRequest* request,
                                      v1::ListJobsResponse* response) {
  return ServeUnary(runtime_, "JobService/ListJobs", *context, *response,
                    [&](Call&) { return HandleListJobs(table_, *request); });
}

grpc::Status JobServiceImpl::WatchJob(grpc::ServerContext* context, const v1::WatchJobRequest* request,
                                      grpc::ServerWriter<v1::JobEvent>* writer) {
  return ServeServerStream(
      runtime_, "JobService/WatchJob", *context, *writer,
      [&](Call& call, MessageWriter<v1::JobEvent>& events) { return HandleWatchJob(table_, call, *request, events); });
}

grpc::Status JobServiceImpl::CancelJob(grpc::ServerContext* context, const v1::CancelJobRequest* request,
                                       v1::Job* response) {
  return ServeUnary(runtime_, "JobService/CancelJob", *context, *response,
                    [&](Call&) { return table_.Cancel(request->job()); });
}

grpc::Status JobServiceImpl::ResumeJob(grpc::ServerContext* context, const v1::ResumeJobRequest* request,
                                       v1::Job* response) {
  return ServeUnary(runtime_, "JobService/ResumeJob", *context, *response,
                    [&](Call&) { return table_.Resume(request->job()); });
}

grpc::Status JobServiceImpl::DeleteJob(grpc::ServerContext* context, const v1::DeleteJobRequest* request,
                                       v1::DeleteJobResponse* response) {
  return ServeUnary(runtime_, "JobService/DeleteJob", *context, *response,
                    [&](Call&) -> absl::StatusOr<v1::DeleteJobResponse> {
                      CLM_ASSIGN_OR_RETURN(const v1::Job job, table_.Delete(request->job()));
                      // The job is gone; files that cannot be removed now go at the next start.
                      const absl::Status removed = runner_.RemoveFiles(JobIdOf(job.name()));
                      if (!removed.ok()) {
                        Log(LogLevel::kWarning, "files of a deleted job stay until the next start",
                            {{"job", job.name()}, {"error", removed.ToString()}});
                      }
                      return v1::DeleteJobResponse();
                    });
}

}  // namespace clm
