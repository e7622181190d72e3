// Loading models and training in a build without LibTorch: refused, naming the build option.
#include "core/pipeline/model_loader.h"
#include "core/pipeline/train.h"

namespace clm {
namespace {

absl::Status NoLibTorch() {
  return absl::UnimplementedError("this build has no LibTorch (CMake option CLM_WITH_TORCH)");
}

}  // namespace

absl::StatusOr<std::shared_ptr<const LoadedModel>> LoadModel(ArtifactStore&, const ArtifactId&, absl::string_view,
                                                             const CancellationToken&) {
  return NoLibTorch();
}

std::string LibTorchVersion() { return ""; }

std::vector<std::string> UsableDevices() { return {"cpu"}; }

absl::Status TrainOptions::Validate() const { return NoLibTorch(); }

absl::StatusOr<TrainOutcome> RunTrain(const TrainOptions&, const PipelineContext&) { return NoLibTorch(); }

}  // namespace clm
