// Outcomes of operations to messages.
#pragma once

#include "clm/v1/evaluate.pb.h"
#include "clm/v1/job.pb.h"
#include "core/base/progress.h"
#include "core/eval/compare.h"
#include "core/pipeline/evaluate.h"
#include "core/pipeline/prepare.h"
#include "core/pipeline/train.h"

namespace clm {

v1::PrepareResult ToProto(const PrepareOutcome& outcome);
v1::TrainResult ToProto(const TrainOutcome& outcome);
v1::EvaluateResult ToProto(const EvaluateOutcome& outcome);
v1::CompareResponse ToProto(const Comparison& comparison);
// Without update_time.
v1::JobProgress ToProto(const Progress& progress);

}  // namespace clm
