// What JobService's calls do, without gRPC. Thread-safety: functions over thread-safe arguments.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clm/v1/job.pb.h"
#include "server/job/job_table.h"
#include "server/service/call.h"
#include "server/service/operations.h"
#include "server/service/streams.h"

namespace clm {

// INVALID_ARGUMENT for a negative page size, a token that is not ours, or a state of a newer contract.
absl::StatusOr<v1::ListJobsResponse> HandleListJobs(const JobTable& table, const v1::ListJobsRequest& request);

// Sends events until the job is final, the caller leaves, or the server drains (UNAVAILABLE).
absl::Status HandleWatchJob(JobTable& table, const Call& call, const v1::WatchJobRequest& request,
                            MessageWriter<v1::JobEvent>& writer);

// Queues a job of `kind`. A repeated request is answered with its job before anything is checked, because what it
// needed may be gone by now. INVALID_ARGUMENT for a spec of another kind, and what `check` says.
absl::StatusOr<v1::Job> HandleSubmit(JobTable& table, v1::JobKind kind, const JobSpecCheck& check,
                                     const v1::SubmitJobRequest& request);

}  // namespace clm
