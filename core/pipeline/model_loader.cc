#include "core/pipeline/model_loader.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/determinism.h"
#include "core/model/device.h"
#include "core/model/model.h"

namespace clm {
namespace {

std::string Attribute(const Manifest& manifest, const char* key) {
  const auto found = manifest.attributes.find(key);
  return found == manifest.attributes.end() ? "" : found->second;
}

uint64_t NumberAttribute(const Manifest& manifest, const char* key) {
  uint64_t value = 0;
  return absl::SimpleAtoi(Attribute(manifest, key), &value) ? value : 0;
}

double FlopsPerSymbol(const ModelConfig& config) {
  const double matrices = static_cast<double>(CountParameters(config).body);
  const double head = static_cast<double>(config.vocab_size) * config.hidden_size;
  // Scores and weighted values of each head against half of the context.
  const double attention = 2.0 * config.layers * config.hidden_size * config.max_positions / 2.0;
  return 2.0 * (matrices + head + attention);
}

ModelFacts FactsOf(const Model& model, const Manifest& manifest) {
  const ParameterCounts counts = model.parameter_counts();
  ModelFacts facts;
  facts.body_parameters = counts.body;
  facts.embedding_parameters = counts.embedding;
  facts.head_parameters = counts.head;
  facts.flops_per_symbol = FlopsPerSymbol(model.config());
  facts.context = static_cast<uint32_t>(model.config().max_positions);
  facts.resident_bytes = model.resident_bytes();
  facts.device = std::string(DeviceName(model.device()));
  facts.trained_bytes = NumberAttribute(manifest, kTrainedBytesAttribute);
  facts.trained_symbols = NumberAttribute(manifest, kTrainedSymbolsAttribute);
  return facts;
}

class LoadedTransformer final : public LoadedModel {
 public:
  LoadedTransformer(const Manifest& manifest, LoadedRepresentation representation, std::unique_ptr<Model> model)
      : model_(std::move(model)) {
    checkpoint_ = manifest.id;
    corpus_ = representation.source;
    representation_ = std::move(representation.representation);
    facts_ = FactsOf(*model_, manifest);
  }

  absl::StatusOr<std::unique_ptr<SequenceScorer>> NewScorer(uint32_t overlap) const override {
    if (overlap >= facts_.context) {
      return absl::InvalidArgumentError(
          absl::StrCat("context_overlap is ", overlap, ", the model's context is ", facts_.context));
    }
    CLM_RETURN_IF_ERROR(ConfigureDeterminism(/*threads=*/0));
    ScorerOptions options;
    options.stride = overlap == 0 ? 0 : static_cast<int>(facts_.context - overlap);
    return model_->NewScorer(options);
  }

  absl::StatusOr<std::unique_ptr<NextSymbolModel>> NewStepper() const override {
    // One symbol at a time is too little work to share between threads.
    CLM_RETURN_IF_ERROR(ConfigureDeterminism(/*threads=*/1));
    return model_->NewStepper();
  }

 private:
  const std::unique_ptr<Model> model_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const LoadedModel>> LoadModel(ArtifactStore& store, const ArtifactId& id,
                                                             absl::string_view device,
                                                             const CancellationToken& cancel) {
  if (id.kind() != ArtifactKind::kCheckpoint) {
    return absl::InvalidArgumentError(absl::StrCat(id.Name(), " is no checkpoint"));
  }
  CLM_ASSIGN_OR_RETURN(const std::shared_ptr<const Manifest> manifest, store.OpenVerified(id, cancel));
  CLM_ASSIGN_OR_RETURN(LoadedRepresentation representation, LoadRepresentation(store, id, "", cancel));
  CLM_ASSIGN_OR_RETURN(std::unique_ptr<Model> model, Model::Load(store.files(), store.Folder(id), std::string(device)));
  CLM_RETURN_IF_ERROR(CheckTrainedWith(*manifest, *representation.representation, model->config().vocab_size));
  return std::make_shared<const LoadedTransformer>(*manifest, std::move(representation), std::move(model));
}

std::string LibTorchVersion() { return CLM_LIBTORCH_VERSION; }

std::vector<std::string> UsableDevices() {
  std::vector<std::string> devices = {"cpu"};
  if (ResolveDevice("cuda").ok()) devices.push_back("cuda");
  return devices;
}

}  // namespace clm
