#include "core/checkpoint/parameter_layout.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/rng.h"

namespace clm {
namespace {

constexpr int64_t kAlignment = 16;

void AddLayerMatrices(const ModelConfig& config, int layer, ParameterLayout& layout) {
  const std::string prefix = absl::StrCat("model.layers.", layer, ".");
  const int64_t d = config.hidden_size;
  const int64_t f = config.intermediate_size;
  const int64_t kv = int64_t{config.kv_heads} * config.head_size();
  // Inputs keep unit variance; what is added to the residual stream shrinks with the number of additions, so that the
  // stream's variance does not grow with depth (Radford et al. 2019, GPT-2, section 2.3).
  const double in = 1.0 / std::sqrt(static_cast<double>(d));
  const double depth = 1.0 / std::sqrt(2.0 * config.layers);
  const double down = depth / std::sqrt(static_cast<double>(f));
  const auto matrix = [&](const char* name, int64_t rows, int64_t columns, double deviation, bool joined) {
    layout.Add({.name = absl::StrCat(prefix, name), .rows = rows, .columns = columns, .init_deviation = deviation},
               joined);
  };
  matrix("self_attn.q_proj.weight", d, d, in, false);
  matrix("self_attn.k_proj.weight", kv, d, in, true);
  matrix("self_attn.v_proj.weight", kv, d, in, true);
  matrix("self_attn.o_proj.weight", d, d, in * depth, false);
  matrix("mlp.gate_proj.weight", f, d, in, false);
  matrix("mlp.up_proj.weight", f, d, in, true);
  matrix("mlp.down_proj.weight", d, f, down, false);
}

void AddNorm(const std::string& name, int64_t width, ParameterLayout& layout) {
  layout.Add({.name = name, .rows = width, .group = ParameterGroup::kVector, .init_constant = 1.0});
}

}  // namespace

ParameterLayout ParameterLayout::Body(const ModelConfig& config) {
  ParameterLayout layout;
  for (int layer = 0; layer < config.layers; ++layer) AddLayerMatrices(config, layer, layout);
  for (int layer = 0; layer < config.layers; ++layer) {
    AddNorm(absl::StrCat("model.layers.", layer, ".input_layernorm.weight"), config.hidden_size, layout);
    AddNorm(absl::StrCat("model.layers.", layer, ".post_attention_layernorm.weight"), config.hidden_size, layout);
  }
  AddNorm("model.norm.weight", config.hidden_size, layout);
  return layout;
}

ParameterLayout ParameterLayout::Plain(const ModelConfig& config) {
  ParameterLayout layout = Body(config);
  const auto table = [&](const char* name) {
    layout.Add({.name = name,
                .rows = config.vocab_size,
                .columns = config.hidden_size,
                .group = ParameterGroup::kTable,
                .init_deviation = 1.0 / std::sqrt(static_cast<double>(config.hidden_size))});
  };
  table("model.embed_tokens.weight");
  if (!config.tie_embeddings) table("lm_head.weight");
  return layout;
}

void ParameterLayout::Add(ParameterSpec spec, bool joined) {
  if (!joined) total_ = (total_ + kAlignment - 1) / kAlignment * kAlignment;
  CLM_CHECK(parameters_.empty() || parameters_.back().group <= spec.group);
  spec.offset = total_;
  total_ += spec.size();
  ParameterRange& range = ranges_[static_cast<size_t>(spec.group)];
  if (range.end == 0) range.begin = spec.offset;
  range.end = total_;
  parameters_.push_back(std::move(spec));
}

bool ParameterLayout::Contains(absl::string_view name) const {
  return std::any_of(parameters_.begin(), parameters_.end(),
                     [name](const ParameterSpec& spec) { return spec.name == name; });
}

const ParameterSpec& ParameterLayout::Find(absl::string_view name) const {
  for (const ParameterSpec& spec : parameters_) {
    if (spec.name == name) return spec;
  }
  CLM_CHECK(false && "unknown parameter name");
  return parameters_.front();
}

void ParameterLayout::Initialise(const ParameterSpec& spec, uint64_t seed, float* values) {
  const int64_t width = spec.columns == 0 ? 1 : spec.columns;
  for (int64_t row = 0; row < spec.rows; ++row) {
    float* out = values + row * width;
    if (spec.init_deviation == 0) {
      for (int64_t j = 0; j < width; ++j) out[j] = static_cast<float>(spec.init_constant);
      continue;
    }
    CounterRng rng(seed, spec.name, static_cast<uint64_t>(row));
    for (int64_t j = 0; j < width; j += 2) {  // Box & Muller 1958: two uniforms give two normals
      const double radius = spec.init_deviation * std::sqrt(-2.0 * std::log(1.0 - rng.NextDouble()));
      const double angle = 2.0 * std::numbers::pi * rng.NextDouble();
      out[j] = static_cast<float>(radius * std::cos(angle));
      if (j + 1 < width) out[j + 1] = static_cast<float>(radius * std::sin(angle));
    }
  }
}

void ParameterLayout::Initialise(uint64_t seed, std::span<float> weights) const {
  CLM_CHECK(weights.size() == static_cast<size_t>(total()));
  for (const ParameterSpec& spec : parameters_) Initialise(spec, seed, weights.data() + spec.offset);
}

}  // namespace clm
