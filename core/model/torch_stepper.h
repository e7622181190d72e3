// TorchStepper: the NextSymbolModel of a transformer, with a cache of keys and values.
//
// The cache holds up to W = max_positions inputs. When it is full, the window slides as in TorchScorer: it restarts
// `stride` inputs later and the symbols that stay are computed again, so a generated text is conditioned exactly as the
// scorer would condition it. Cost per symbol: one pass over the weights and the cache; every `stride` symbols one pass
// over W - stride symbols.
//
// Internal to core/model (LibTorch types): others get one from Model::NewStepper().
#pragma once

#include <ATen/ATen.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/model/transformer/transformer.h"
#include "core/predict/next_symbol_model.h"

namespace clm {

class TorchStepper final : public NextSymbolModel {
 public:
  // `stride` 0: half of max_positions. Requires stride in [0, max_positions].
  TorchStepper(std::shared_ptr<const Transformer> model, int stride);

  uint32_t vocab_size() const override { return model_->config().vocab_size; }
  void Reset() override;
  absl::Status Feed(std::span<const SymbolId> symbols, std::vector<float>& logits) override;

 private:
  struct LayerCache {
    at::Tensor keys;    // [1, Hk, W, hd]
    at::Tensor values;  // [1, Hk, W, hd]
  };
  // Computes inputs history_[cached_ .. end), which fit the window; returns the last hidden row [1, d].
  at::Tensor Extend(size_t end);
  at::Tensor Attend(const at::Tensor& qkv, int64_t count, LayerCache& cache) const;
  // Drops the oldest `stride` inputs; what stays is computed anew.
  void Slide();

  const std::shared_ptr<const Transformer> model_;
  const size_t window_;
  const size_t stride_;
  std::vector<SymbolId> history_;  // inputs of the current window, cached ones first
  size_t cached_ = 0;
  std::vector<LayerCache> caches_;
};

}  // namespace clm
