// RunJob: one job spec, carried out.
#pragma once

#include "absl/status/statusor.h"
#include "clm/v1/job.pb.h"
#include "core/pipeline/context.h"

namespace clm {

// The result of the spec's operation; its artifacts are committed.
absl::StatusOr<v1::JobResult> RunJob(const v1::JobSpec& spec, const PipelineContext& context);

}  // namespace clm
