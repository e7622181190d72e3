// Trace: its request to core/trace and back.
//
// Thread-safety: functions without state; one call at a time per model.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clm/v1/trace.pb.h"
#include "core/base/cancellation.h"
#include "core/pipeline/trace_model.h"
#include "server/service/operations.h"

namespace clm {

// Carries out the task of `start` on `input`. The summary comes without output_bytes and seconds. The request is within
// its documented ranges. Errors: as core/trace.
absl::StatusOr<v1::TraceResponse::Summary> RunTrace(const TraceModel& model, const v1::TraceRequest::Start& start,
                                                    absl::string_view input, const TraceSinks& sinks,
                                                    const CancellationToken& cancel);

}  // namespace clm
