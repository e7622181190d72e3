#include "server/worker/run_job.h"

#include "core/base/status_macros.h"
#include "server/convert/result_convert.h"
#include "server/convert/spec_convert.h"

namespace clm {

absl::StatusOr<v1::JobResult> RunJob(const v1::JobSpec& spec, const PipelineContext& context) {
  v1::JobResult result;
  switch (spec.task_case()) {
    case v1::JobSpec::kPrepare: {
      CLM_ASSIGN_OR_RETURN(const PrepareOptions options, ToPrepareOptions(spec.prepare(), context.store));
      CLM_ASSIGN_OR_RETURN(const PrepareOutcome outcome, RunPrepare(options, context));
      *result.mutable_prepare() = ToProto(outcome);
      return result;
    }
    case v1::JobSpec::kTrain: {
      CLM_ASSIGN_OR_RETURN(const TrainOptions options, ToTrainOptions(spec.train(), context.store));
      CLM_ASSIGN_OR_RETURN(const TrainOutcome outcome, RunTrain(options, context));
      *result.mutable_train() = ToProto(outcome);
      return result;
    }
    case v1::JobSpec::kEvaluate: {
      CLM_ASSIGN_OR_RETURN(const EvaluateOptions options, ToEvaluateOptions(spec.evaluate(), context.store));
      CLM_ASSIGN_OR_RETURN(const EvaluateOutcome outcome, RunEvaluate(options, context));
      *result.mutable_evaluate() = ToProto(outcome);
      return result;
    }
    case v1::JobSpec::TASK_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("the job spec has no task");
}

}  // namespace clm
