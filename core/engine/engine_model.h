// EngineModel: a trained checkpoint quantised to integers, ready to run bit for bit alike on every processor.
//
// Weights become int8 with one scale per output row, everything between the matrix products is fixed point and tables
// (docs/method.md). Quantisation uses nothing but IEEE multiplication, division and rounding, inference nothing but
// integers: the same checkpoint gives the same frequencies on every machine, instruction set, thread count and number
// of lanes. fingerprint() names everything that decides them; canary() is what this machine really computes.
//
//   CLM_ASSIGN_OR_RETURN(const auto model, EngineModel::Load(files, folder));
//   CLM_ASSIGN_OR_RETURN(const auto session, EngineSession::Create(model, {.lanes = 32}));
//
// What a model keeps between symbols (a cache of keys, a recurrent state) is its own business: the interface speaks of
// lanes and symbols only, so other families come in behind it.
//
// Thread-safety: immutable; sessions of several threads may share one model. Ownership: sessions keep it alive.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/file_io.h"
#include "core/base/types.h"
#include "core/checkpoint/model_config.h"

namespace clm {

class EngineNetwork;

using EngineCanary = std::array<uint8_t, 8>;

class EngineModel {
 public:
  // Reads config.json and model.safetensors of a checkpoint folder. The errors of checkpoint.h, and INVALID_ARGUMENT
  // naming the matrix for weights that are not finite or whose sums could overflow.
  static absl::StatusOr<std::shared_ptr<const EngineModel>> Load(const FileSystem& files, const std::string& folder);
  // `weights` are the floats of ParameterLayout::Plain(config).
  static absl::StatusOr<std::shared_ptr<const EngineModel>> FromWeights(const ModelConfig& config,
                                                                        std::span<const float> weights);
  ~EngineModel();

  uint32_t vocab_size() const;
  // P of the frequencies: 20 up to 512 symbols, 24 above.
  int precision_bits() const;
  // Symbols that a prediction can look back on at most, the one before it included.
  uint32_t max_window() const;
  // Conditions the first symbol of every document.
  SymbolId boundary() const;
  // 64 hex digits over quantised weights, shapes, tables, constants and the version of the algorithm.
  const std::string& fingerprint() const { return fingerprint_; }
  // First 8 bytes of SHA-256 over the frequencies after each symbol of a fixed probe, computed at load by this
  // machine's kernels. A frame written elsewhere names the same eight bytes, or this machine must not decode it.
  const EngineCanary& canary() const { return canary_; }
  uint64_t parameter_count() const;
  // Of the quantised weights in memory.
  uint64_t weight_bytes() const;
  // Of the state of one lane of a session with that window (0: max_window()).
  uint64_t lane_bytes(uint32_t window) const;

  // For EngineSession.
  const EngineNetwork& network() const { return *network_; }

 private:
  explicit EngineModel(std::unique_ptr<const EngineNetwork> network);

  const std::unique_ptr<const EngineNetwork> network_;
  const std::string fingerprint_;
  const EngineCanary canary_;
};

}  // namespace clm
