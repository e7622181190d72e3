#include "core/engine/engine_model.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/byte_writer.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/engine/distribution.h"
#include "core/engine/network.h"
#include "core/engine/thread_team.h"
#include "core/engine/transformer_network.h"

namespace clm {
namespace {

constexpr uint32_t kProbeSymbols = 64;
// Small steps make neighbours, the large one reaches every part of a vocabulary.
SymbolId ProbeSymbol(uint32_t index, uint32_t vocab_size) {
  return static_cast<SymbolId>((uint64_t{index} * index * 2654435761U + index % 7) % vocab_size);
}

// Runs the boundary and the probe and hashes every table of frequencies.
EngineCanary CanaryOf(const EngineNetwork& network) {
  ThreadTeam team(1);
  const std::unique_ptr<EngineState> state =
      network.NewState({.lanes = 1,
                        .window = std::min(network.max_window(), kProbeSymbols / 2),
                        .threads = 1,
                        .target = SupportedDotTargets().back()});
  Distribution distribution(network.vocab_size());
  std::vector<uint32_t> frequencies(network.vocab_size());
  Sha256 hash;
  for (uint32_t i = 0; i <= kProbeSymbols; ++i) {
    const EngineRow row = {0, i == 0 ? network.boundary() : ProbeSymbol(i, network.vocab_size())};
    network.Advance(*state, {&row, 1}, team, [&](size_t, size_t, std::span<const int32_t> logits) {
      distribution.Assign(logits, /*keep_logits=*/false);
    });
    ByteWriter table;
    distribution.Frequencies(frequencies);
    for (const uint32_t frequency : frequencies) table.WriteU32(frequency);
    hash.Update(table.view());
  }
  const Sha256Digest digest = hash.Finish();
  EngineCanary canary{};
  std::copy_n(digest.begin(), canary.size(), canary.begin());
  return canary;
}

}  // namespace

EngineModel::EngineModel(std::unique_ptr<const EngineNetwork> network)
    : network_(std::move(network)), fingerprint_(network_->Fingerprint()), canary_(CanaryOf(*network_)) {}

EngineModel::~EngineModel() = default;

absl::StatusOr<std::shared_ptr<const EngineModel>> EngineModel::Load(const FileSystem& files,
                                                                     const std::string& folder) {
  CLM_ASSIGN_OR_RETURN(const ModelConfig config, ReadCheckpointConfig(files, folder));
  CLM_ASSIGN_OR_RETURN(const CheckpointWeights file, CheckpointWeights::Open(files, folder, config));
  std::vector<float> weights(static_cast<size_t>(ParameterLayout::Plain(config).total()));
  file.Read(weights);
  return FromWeights(config, weights);
}

absl::StatusOr<std::shared_ptr<const EngineModel>> EngineModel::FromWeights(const ModelConfig& config,
                                                                            std::span<const float> weights) {
  CLM_ASSIGN_OR_RETURN(TransformerWeights quantized, TransformerWeights::Create(config, weights));
  return std::shared_ptr<const EngineModel>(
      new EngineModel(std::make_unique<const TransformerNetwork>(std::move(quantized))));
}

uint32_t EngineModel::vocab_size() const { return network_->vocab_size(); }
int EngineModel::precision_bits() const { return PrecisionBitsOf(vocab_size()); }
uint32_t EngineModel::max_window() const { return network_->max_window(); }
SymbolId EngineModel::boundary() const { return network_->boundary(); }
uint64_t EngineModel::parameter_count() const { return network_->parameter_count(); }
uint64_t EngineModel::weight_bytes() const { return network_->weight_bytes(); }
uint64_t EngineModel::lane_bytes(uint32_t window) const {
  return network_->lane_bytes(window == 0 ? max_window() : window);
}

}  // namespace clm
