// LoadEngine: a checkpoint as the integer model that codes, with the representation whose symbols it predicts.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "core/artifact/artifact_store.h"
#include "core/base/cancellation.h"
#include "core/engine/engine_model.h"
#include "core/representation/representation.h"

namespace clm {

struct LoadedEngine {
  ArtifactId checkpoint;
  std::shared_ptr<const Representation> representation;
  std::shared_ptr<const EngineModel> model;
  uint64_t checkpoint_bytes = 0;  // what a decoder must have: the files of the checkpoint
};

// INVALID_ARGUMENT for an artifact that is no checkpoint, FAILED_PRECONDITION when its corpus gives another
// representation than it was trained with; otherwise as LoadRepresentation and EngineModel::Load.
absl::StatusOr<LoadedEngine> LoadEngine(ArtifactStore& store, const ArtifactId& id, const CancellationToken& cancel);

}  // namespace clm
