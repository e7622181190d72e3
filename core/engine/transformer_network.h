// TransformerNetwork: TransformerWeights as an EngineNetwork.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "core/engine/network.h"
#include "core/engine/transformer_weights.h"

namespace clm {

class TransformerNetwork final : public EngineNetwork {
 public:
  explicit TransformerNetwork(TransformerWeights weights) : weights_(std::move(weights)) {}

  uint32_t vocab_size() const override { return weights_.config.vocab_size; }
  uint32_t max_window() const override { return static_cast<uint32_t>(weights_.config.max_positions); }
  SymbolId boundary() const override { return weights_.config.boundary; }
  uint64_t parameter_count() const override;
  uint64_t weight_bytes() const override { return weights_.bytes(); }
  uint64_t lane_bytes(uint32_t window) const override;
  std::string Fingerprint() const override { return weights_.Fingerprint(); }

  std::unique_ptr<EngineState> NewState(const EngineStateOptions& options) const override;
  void Advance(EngineState& state, std::span<const EngineRow> rows, ThreadTeam& team, RowSink sink) const override;

 private:
  const TransformerWeights weights_;
};

}  // namespace clm
