// JobServiceImpl: clm.v1.JobService over the job table.
//
// Thread-safety: thread-safe. Ownership: everything given outlives it.
#pragma once

#include "clm/v1/job.grpc.pb.h"
#include "server/job/job_runner.h"
#include "server/job/job_table.h"
#include "server/service/serve.h"

namespace clm {

class JobServiceImpl final : public v1::JobService::Service {
 public:
  JobServiceImpl(const CallRuntime& runtime, JobTable& table, JobRunner& runner)
      : runtime_(runtime), table_(table), runner_(runner) {}

  grpc::Status GetJob(grpc::ServerContext* context, const v1::GetJobRequest* request, v1::Job* response) override;
  grpc::Status ListJobs(grpc::ServerContext* context, const v1::ListJobsRequest* request,
                        v1::ListJobsResponse* response) override;
  grpc::Status WatchJob(grpc::ServerContext* context, const v1::WatchJobRequest* request,
                        grpc::ServerWriter<v1::JobEvent>* writer) override;
  grpc::Status CancelJob(grpc::ServerContext* context, const v1::CancelJobRequest* request, v1::Job* response) override;
  grpc::Status ResumeJob(grpc::ServerContext* context, const v1::ResumeJobRequest* request, v1::Job* response) override;
  grpc::Status DeleteJob(grpc::ServerContext* context, const v1::DeleteJobRequest* request,
                         v1::DeleteJobResponse* response) override;

 private:
  const CallRuntime& runtime_;
  JobTable& table_;
  JobRunner& runner_;
};

}  // namespace clm
