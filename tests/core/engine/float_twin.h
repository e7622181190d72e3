// The slow, obvious twin of the integer engine: the same transformer in double, one symbol at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/types.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/parameter_layout.h"

namespace clm {

// A model of any shape with the initial weights of training, times `scale`: larger ones give sharper distributions.
inline std::vector<float> RandomWeights(const ModelConfig& config, uint64_t seed, float scale = 1.0F) {
  const ParameterLayout layout = ParameterLayout::Plain(config);
  std::vector<float> weights(static_cast<size_t>(layout.total()));
  layout.Initialise(seed, weights);
  for (const ParameterSpec& spec : layout.parameters()) {
    if (spec.columns == 0) continue;
    for (int64_t i = 0; i < spec.size(); ++i) weights[static_cast<size_t>(spec.offset + i)] *= scale;
  }
  return weights;
}

class FloatTwin {
 public:
  FloatTwin(const ModelConfig& config, std::span<const float> weights)
      : config_(config), layout_(ParameterLayout::Plain(config)), weights_(weights.begin(), weights.end()) {}

  // Logits [V] after each of `symbols`, each looking back on `window` symbols.
  std::vector<std::vector<double>> Logits(std::span<const SymbolId> symbols, size_t window) {
    keys_.assign(static_cast<size_t>(config_.layers), {});
    values_ = keys_;
    std::vector<std::vector<double>> all;
    for (size_t position = 0; position < symbols.size(); ++position) {
      all.push_back(Step(symbols[position], position, window));
    }
    return all;
  }

 private:
  using Vector = std::vector<double>;

  double At(const ParameterSpec& spec, size_t row, size_t column) const {
    return static_cast<double>(
        weights_[static_cast<size_t>(spec.offset) + row * static_cast<size_t>(spec.columns) + column]);
  }

  Vector Times(const std::string& name, const Vector& x) const {
    const ParameterSpec& spec = layout_.Find(name);
    Vector y(static_cast<size_t>(spec.rows));
    for (size_t row = 0; row < y.size(); ++row) {
      for (size_t column = 0; column < x.size(); ++column) y[row] += At(spec, row, column) * x[column];
    }
    return y;
  }

  Vector Norm(const std::string& name, const Vector& x) const {
    const ParameterSpec& spec = layout_.Find(name);
    double squares = 0;
    for (const double value : x) squares += value * value;
    const double inverse = 1 / std::sqrt(squares / static_cast<double>(x.size()) + config_.rms_norm_eps);
    Vector y(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      y[i] = x[i] * inverse * static_cast<double>(weights_[static_cast<size_t>(spec.offset) + i]);
    }
    return y;
  }

  void Rotate(Vector& x, size_t position) const {
    const auto width = static_cast<size_t>(config_.head_size());
    const size_t half = width / 2;
    for (size_t head = 0; head < x.size(); head += width) {
      for (size_t j = 0; j < half; ++j) {
        const double angle = static_cast<double>(position) *
                             std::pow(config_.rope_theta, -static_cast<double>(j) / static_cast<double>(half));
        const double a = x[head + j];
        const double b = x[head + j + half];
        x[head + j] = a * std::cos(angle) - b * std::sin(angle);
        x[head + j + half] = b * std::cos(angle) + a * std::sin(angle);
      }
    }
  }

  Vector Attend(size_t layer, const Vector& query, size_t position, size_t window) const {
    const auto width = static_cast<size_t>(config_.head_size());
    const auto group = static_cast<size_t>(config_.heads / config_.kv_heads);
    const size_t begin = position + 1 > window ? position + 1 - window : 0;
    Vector out(query.size());
    for (size_t head = 0; head < static_cast<size_t>(config_.heads); ++head) {
      const size_t from = head / group * width;
      Vector weight;
      double largest = -HUGE_VAL;
      double total = 0;
      for (size_t p = begin; p <= position; ++p) {
        double dot = 0;
        for (size_t i = 0; i < width; ++i) dot += query[head * width + i] * keys_[layer][p][from + i];
        weight.push_back(dot / std::sqrt(static_cast<double>(width)));
        largest = std::max(largest, weight.back());
      }
      for (double& value : weight) {
        value = std::exp(value - largest);
        total += value;
      }
      for (size_t p = begin; p <= position; ++p) {
        for (size_t i = 0; i < width; ++i) {
          out[head * width + i] += weight[p - begin] / total * values_[layer][p][from + i];
        }
      }
    }
    return out;
  }

  static void Add(Vector& x, const Vector& y) {
    for (size_t i = 0; i < x.size(); ++i) x[i] += y[i];
  }

  Vector Step(SymbolId symbol, size_t position, size_t window) {
    const ParameterSpec& table = layout_.Find("model.embed_tokens.weight");
    Vector x;
    for (size_t i = 0; i < static_cast<size_t>(config_.hidden_size); ++i) x.push_back(At(table, symbol, i));
    for (size_t layer = 0; layer < keys_.size(); ++layer) {
      const std::string prefix = absl::StrCat("model.layers.", layer, ".");
      const Vector in = Norm(prefix + "input_layernorm.weight", x);
      Vector query = Times(prefix + "self_attn.q_proj.weight", in);
      Vector key = Times(prefix + "self_attn.k_proj.weight", in);
      Rotate(query, position);
      Rotate(key, position);
      keys_[layer].push_back(key);
      values_[layer].push_back(Times(prefix + "self_attn.v_proj.weight", in));
      Add(x, Times(prefix + "self_attn.o_proj.weight", Attend(layer, query, position, window)));
      const Vector middle = Norm(prefix + "post_attention_layernorm.weight", x);
      Vector inner = Times(prefix + "mlp.gate_proj.weight", middle);
      const Vector up = Times(prefix + "mlp.up_proj.weight", middle);
      for (size_t i = 0; i < inner.size(); ++i) inner[i] *= up[i] / (1 + std::exp(-inner[i]));
      Add(x, Times(prefix + "mlp.down_proj.weight", inner));
    }
    return Times(config_.tie_embeddings ? "model.embed_tokens.weight" : "lm_head.weight", Norm("model.norm.weight", x));
  }

  const ModelConfig config_;
  const ParameterLayout layout_;
  const std::vector<float> weights_;
  std::vector<std::vector<Vector>> keys_, values_;  // [layer][position]
};

}  // namespace clm
