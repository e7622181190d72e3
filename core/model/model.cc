#include "core/model/model.h"

#include <ATen/ATen.h>

#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/torch_scorer.h"
#include "core/model/torch_status.h"
#include "core/model/torch_stepper.h"
#include "core/model/transformer/transformer.h"

namespace clm {
namespace {

at::Device DeviceOf(DeviceKind kind) { return kind == DeviceKind::kCuda ? at::Device(at::kCUDA, 0) : at::kCPU; }

absl::Status CheckComposition(const ModelConfig& config, const RowComposition& composition) {
  if (composition.vocab_size() != config.vocab_size) {
    return absl::InvalidArgumentError(absl::StrCat("row composition has ", composition.vocab_size(),
                                                   " rows, the model's vocab_size is ", config.vocab_size));
  }
  if (config.tie_embeddings) return absl::InvalidArgumentError("row composition needs tie_embeddings = false");
  return absl::OkStatus();
}

// The weights as a plain checkpoint holds them, on the CPU.
at::Tensor PlainWeights(const Transformer& transformer) {
  at::Tensor weights = transformer.weights().to(at::kCPU).contiguous();
  if (transformer.composition() == nullptr) return weights;
  const ParameterLayout plain = ParameterLayout::Plain(transformer.config());
  at::Tensor folded = at::zeros({plain.total()}, at::kFloat);
  for (const ParameterSpec& spec : plain.parameters()) {
    at::Tensor target = folded.narrow(0, spec.offset, spec.size());
    if (spec.name == "model.embed_tokens.weight") {
      target.copy_(transformer.views().input_table.reshape({-1}));
    } else if (spec.name == "lm_head.weight") {
      target.copy_(transformer.views().output_table.reshape({-1}));
    } else {
      target.copy_(weights.narrow(0, transformer.layout().Find(spec.name).offset, spec.size()));
    }
  }
  return folded;
}

std::span<float> FloatsOf(at::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

}  // namespace

Model::Model(std::shared_ptr<Transformer> transformer) : transformer_(std::move(transformer)) {}
Model::~Model() = default;

absl::StatusOr<std::unique_ptr<Model>> Model::Create(const ModelConfig& config, const ModelOptions& options) {
  CLM_RETURN_IF_ERROR(config.Validate());
  if (options.composition != nullptr) CLM_RETURN_IF_ERROR(CheckComposition(config, *options.composition));
  CLM_ASSIGN_OR_RETURN(const DeviceKind device, ResolveDevice(options.device));
  return CatchTorch("creating a model", [&]() -> absl::StatusOr<std::unique_ptr<Model>> {
    auto transformer = std::make_shared<Transformer>(config, DeviceOf(device), options.composition);
    transformer->Initialise(options.seed);
    return std::unique_ptr<Model>(new Model(std::move(transformer)));
  });
}

absl::StatusOr<std::unique_ptr<Model>> Model::Load(const FileSystem& files, const std::string& folder,
                                                   const std::string& device) {
  CLM_ASSIGN_OR_RETURN(const ModelConfig config, ReadCheckpointConfig(files, folder));
  CLM_ASSIGN_OR_RETURN(const CheckpointWeights weights, CheckpointWeights::Open(files, folder, config));
  CLM_ASSIGN_OR_RETURN(const DeviceKind kind, ResolveDevice(device));
  return CatchTorch("loading a model", [&]() -> absl::StatusOr<std::unique_ptr<Model>> {
    auto transformer = std::make_shared<Transformer>(config, DeviceOf(kind), nullptr);
    at::Tensor host =
        kind == DeviceKind::kCpu ? transformer->weights() : at::zeros(transformer->weights().sizes(), at::kFloat);
    weights.Read(FloatsOf(host));
    if (kind != DeviceKind::kCpu) transformer->weights().copy_(host);
    return std::unique_ptr<Model>(new Model(std::move(transformer)));
  });
}

absl::Status Model::Save(FileSystem& files, const std::string& folder) const {
  return CatchTorch("saving a model", [&] {
    at::Tensor weights = PlainWeights(*transformer_);
    return WriteCheckpoint(files, folder, config(), FloatsOf(weights));
  });
}

const ModelConfig& Model::config() const { return transformer_->config(); }

DeviceKind Model::device() const { return transformer_->device().is_cpu() ? DeviceKind::kCpu : DeviceKind::kCuda; }

uint64_t Model::trainable_parameters() const {
  uint64_t total = 0;
  for (const ParameterSpec& spec : transformer_->layout().parameters()) total += static_cast<uint64_t>(spec.size());
  return total;
}

uint64_t Model::resident_bytes() const {
  const TransformerViews& views = transformer_->views();
  const bool composed = transformer_->composition() != nullptr;
  const int64_t tables = composed ? views.input_table.numel() + views.output_table.numel() : 0;
  return sizeof(float) * static_cast<uint64_t>(transformer_->layout().total() + tables);
}

absl::StatusOr<std::unique_ptr<SequenceScorer>> Model::NewScorer(const ScorerOptions& options) const {
  CLM_RETURN_IF_ERROR(options.Validate(config().max_positions));
  return std::make_unique<TorchScorer>(transformer_, options);
}

absl::StatusOr<std::unique_ptr<NextSymbolModel>> Model::NewStepper(int stride) const {
  const ScorerOptions range{.stride = stride};
  CLM_RETURN_IF_ERROR(range.Validate(config().max_positions));
  return CatchTorch("creating a stepper", [&]() -> absl::StatusOr<std::unique_ptr<NextSymbolModel>> {
    return std::make_unique<TorchStepper>(transformer_, stride);
  });
}

}  // namespace clm
