#include "core/train/optimizer.h"

#include <algorithm>
#include <cmath>

#include "core/model/transformer/kernels.h"

namespace clm {

Optimizer::Optimizer(const ParameterLayout& layout, const TrainConfig& config, const at::Tensor& weights)
    : config_(config), first_(at::zeros_like(weights)), second_(at::zeros_like(weights)) {
  for (const ParameterGroup group :
       {ParameterGroup::kMatrix, ParameterGroup::kVector, ParameterGroup::kTable, ParameterGroup::kResidual}) {
    const ParameterRange range = layout.range(group);
    if (range.begin == range.end) continue;
    groups_.push_back({range, group == ParameterGroup::kMatrix ? config.weight_decay : 0.0,
                       group == ParameterGroup::kResidual ? config.residual_rate : 1.0});
  }
}

double Optimizer::GradientNorm(const at::Tensor& gradients) const {
  if (!gradients.is_cpu()) return gradients.to(at::kDouble).norm().item<double>();
  return std::sqrt(kernels::SumOfSquares(gradients.const_data_ptr<float>(), 0, gradients.numel()));
}

void Optimizer::Step(uint64_t step, double learning_rate, double norm, at::Tensor& weights, at::Tensor& gradients) {
  const c10::NoGradGuard no_grad;
  const at::Tensor count = at::full({}, static_cast<double>(step + 1), weights.options());
  std::optional<at::Tensor> divisor;  // the fused update divides gradients by it
  if (config_.clip_norm > 0 && norm > config_.clip_norm) {
    divisor = at::full({}, norm / config_.clip_norm, weights.options());
  }
  for (const Group& group : groups_) {
    const auto part = [&](const at::Tensor& flat) {
      return flat.narrow(0, group.range.begin, group.range.end - group.range.begin);
    };
    at::_fused_adamw_({part(weights)}, {part(gradients)}, {part(first_)}, {part(second_)}, /*max_exp_avg_sqs=*/{},
                      {count}, learning_rate * group.rate, config_.beta1, config_.beta2, group.weight_decay,
                      config_.epsilon, /*amsgrad=*/false, /*maximize=*/false, divisor);
  }
}

}  // namespace clm
