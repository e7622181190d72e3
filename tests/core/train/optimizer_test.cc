#include "core/train/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace clm {
namespace {

ModelConfig SmallConfig() {
  ModelConfig config;
  config.vocab_size = 11;
  config.hidden_size = 16;
  config.intermediate_size = 24;
  config.layers = 1;
  config.heads = 2;
  config.kv_heads = 2;
  config.max_positions = 8;
  config.boundary = 10;
  return config;
}

// AdamW in double, one value at a time.
TEST(OptimizerTest, AgreesWithTheFormulaValueByValue) {
  ParameterLayout layout = ParameterLayout::Body(SmallConfig());
  layout.Add({.name = "residual", .rows = 5, .group = ParameterGroup::kResidual});
  TrainConfig config;
  config.weight_decay = 0.3;
  config.residual_rate = 3.0;
  config.clip_norm = 2.0;
  at::Tensor weights = at::randn({layout.total()}, at::kFloat);
  Optimizer optimizer(layout, config, weights);
  std::vector<double> w(weights.data_ptr<float>(), weights.data_ptr<float>() + layout.total());
  std::vector<double> m(w.size(), 0);
  std::vector<double> v(w.size(), 0);
  const double rate = 0.01;
  for (uint64_t step = 0; step < 4; ++step) {
    at::Tensor gradients = at::randn({layout.total()}, at::kFloat) * (step == 3 ? 1e-3 : 1.0);
    const double norm = optimizer.GradientNorm(gradients);
    EXPECT_NEAR(norm, gradients.norm().item<double>(), 1e-5 * norm);
    const std::vector<float> g(gradients.data_ptr<float>(), gradients.data_ptr<float>() + layout.total());
    optimizer.Step(step, rate, norm, weights, gradients);
    for (const ParameterSpec& spec : layout.parameters()) {
      const double lr = spec.group == ParameterGroup::kResidual ? 3 * rate : rate;
      const double decay = spec.group == ParameterGroup::kMatrix ? config.weight_decay : 0;
      for (auto i = static_cast<size_t>(spec.offset); i < static_cast<size_t>(spec.offset + spec.size()); ++i) {
        const double gi = static_cast<double>(g[i]) * (norm > 2.0 ? 2.0 / norm : 1.0);
        m[i] = config.beta1 * m[i] + (1 - config.beta1) * gi;
        v[i] = config.beta2 * v[i] + (1 - config.beta2) * gi * gi;
        const double m_hat = m[i] / (1 - std::pow(config.beta1, static_cast<double>(step + 1)));
        const double v_hat = v[i] / (1 - std::pow(config.beta2, static_cast<double>(step + 1)));
        w[i] -= lr * decay * w[i] + lr * m_hat / (std::sqrt(v_hat) + config.epsilon);
        ASSERT_NEAR(static_cast<double>(weights.data_ptr<float>()[i]), w[i], 2e-5) << spec.name << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace clm
