#include "core/pipeline/engine_loader.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/pipeline/representation_loader.h"

namespace clm {

absl::StatusOr<LoadedEngine> LoadEngine(ArtifactStore& store, const ArtifactId& id, const CancellationToken& cancel) {
  if (id.kind() != ArtifactKind::kCheckpoint) {
    return absl::InvalidArgumentError(absl::StrCat(id.Name(), " is no checkpoint"));
  }
  CLM_ASSIGN_OR_RETURN(const std::shared_ptr<const Manifest> manifest, store.OpenVerified(id, cancel));
  CLM_ASSIGN_OR_RETURN(LoadedRepresentation loaded, LoadRepresentation(store, id, "", cancel));
  LoadedEngine engine;
  engine.checkpoint = id;
  CLM_ASSIGN_OR_RETURN(engine.model, EngineModel::Load(store.files(), store.Folder(id)));
  CLM_RETURN_IF_ERROR(CheckTrainedWith(*manifest, *loaded.representation, engine.model->vocab_size()));
  engine.representation = std::move(loaded.representation);
  for (const ManifestFile& file : manifest->files) engine.checkpoint_bytes += file.size_bytes;
  return engine;
}

}  // namespace clm
