// Job specs to the options of the operations: defaults, names of artifacts, limits.
//
// The server converts a spec to check it when it is submitted, the worker to carry it out. Artifacts are resolved in
// the store (NOT_FOUND, INVALID_ARGUMENT for an ambiguous prefix); every option is validated (INVALID_ARGUMENT naming
// field, value and range).
//
// Thread-safety: functions without state.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clm/v1/job.pb.h"
#include "core/artifact/artifact_store.h"
#include "core/pipeline/evaluate.h"
#include "core/pipeline/prepare.h"
#include "core/pipeline/train.h"

namespace clm {

absl::StatusOr<PrepareOptions> ToPrepareOptions(const v1::PrepareSpec& spec, ArtifactStore& store);
absl::StatusOr<TrainOptions> ToTrainOptions(const v1::TrainSpec& spec, ArtifactStore& store);
absl::StatusOr<EvaluateOptions> ToEvaluateOptions(const v1::EvaluateSpec& spec, ArtifactStore& store);

// Everything that can be known to be wrong with a spec before it runs. Also PERMISSION_DENIED for a path that does not
// lie, links resolved, below one of `allowed_roots`.
absl::Status CheckJobSpec(const v1::JobSpec& spec, ArtifactStore& store, const std::vector<std::string>& allowed_roots);

}  // namespace clm
