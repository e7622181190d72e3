#include "server/service/job_handler.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/job/job_request.h"
#include "server/service/error_detail.h"
#include "server/service/page_token.h"

namespace clm {
namespace {

// How soon a watch notices that its caller is gone.
constexpr absl::Duration kWatchTick = absl::Milliseconds(50);

}  // namespace

absl::StatusOr<v1::ListJobsResponse> HandleListJobs(const JobTable& table, const v1::ListJobsRequest& request) {
  JobFilter filter;
  const std::string state = absl::StrCat(static_cast<int>(request.state()));
  if (request.state() != v1::JOB_STATE_UNSPECIFIED) {
    filter.state = JobStateFromProto(request.state());
    if (!filter.state.has_value()) return InvalidField("state", absl::StrCat(state, " is no state of this version"));
  }
  CLM_ASSIGN_OR_RETURN(filter.limit, PageSize(request.page_size()));
  CLM_ASSIGN_OR_RETURN(filter.before_sequence, ReadPageToken(request.page_token(), state));
  JobPage page = table.List(filter);
  v1::ListJobsResponse response;
  for (v1::Job& job : page.jobs) *response.add_jobs() = std::move(job);
  if (page.next_before_sequence != 0) response.set_next_page_token(MakePageToken(page.next_before_sequence, state));
  return response;
}

absl::Status HandleWatchJob(JobTable& table, const Call& call, const v1::WatchJobRequest& request,
                            MessageWriter<v1::JobEvent>& writer) {
  uint64_t cursor = request.cursor();
  while (true) {
    CLM_RETURN_IF_ERROR(call.cancel().Check());
    CLM_ASSIGN_OR_RETURN(const JobEvents news, table.WaitForEvents(request.job(), cursor, kWatchTick));
    for (const v1::JobEvent& event : news.events) {
      CLM_RETURN_IF_ERROR(writer.Write(event));
      cursor = event.cursor();
    }
    if (news.final) return absl::OkStatus();
  }
}

absl::StatusOr<v1::Job> HandleSubmit(JobTable& table, v1::JobKind kind, const JobSpecCheck& check,
                                     const v1::SubmitJobRequest& request) {
  CLM_ASSIGN_OR_RETURN(std::optional<v1::Job> known, table.FindSubmitted(request));
  if (KindOf(request.spec()) != kind) {
    return InvalidField("spec", absl::StrCat("has a task of kind ", KindName(KindOf(request.spec())),
                                             ", this call takes ", KindName(kind)));
  }
  if (known.has_value()) return *std::move(known);
  CLM_RETURN_IF_ERROR(check(request.spec()));
  if (InputArtifacts(request.spec()).empty()) return table.Submit(request);
  // Again, now that nothing can go: an input may have been deleted since.
  return table.Submit(request, [&] { return check(request.spec()); });
}

}  // namespace clm
