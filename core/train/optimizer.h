// Optimizer: AdamW over the flat weights of a transformer, with the gradient norm limited.
//
// One fused pass per parameter group reads and writes each value once. Groups differ in weight decay and learning-rate
// factor (parameter_layout.h). Determinism: elementwise, so the same at any thread count; the norm is summed in a
// fixed order.
// Internal to core/train (LibTorch types). Methods may throw c10::Error.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "core/checkpoint/parameter_layout.h"
#include "core/train/train_config.h"

namespace clm {

class Optimizer {
 public:
  Optimizer(const ParameterLayout& layout, const TrainConfig& config, const at::Tensor& weights);

  // Norm of `gradients`, before any limit.
  double GradientNorm(const at::Tensor& gradients) const;
  // One update with number `step` (0-based: it corrects the moments' bias). `norm` is GradientNorm(gradients). Scales
  // `gradients` in place when the norm is over the limit.
  void Step(uint64_t step, double learning_rate, double norm, at::Tensor& weights, at::Tensor& gradients);

  // Moments of the gradients, [total] each: all the state there is beside the step number.
  at::Tensor& first_moments() { return first_; }
  at::Tensor& second_moments() { return second_; }

 private:
  struct Group {
    ParameterRange range;
    double weight_decay;
    double rate;
  };

  const TrainConfig config_;
  std::vector<Group> groups_;
  at::Tensor first_;
  at::Tensor second_;
};

}  // namespace clm
