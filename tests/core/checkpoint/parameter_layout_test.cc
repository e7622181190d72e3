#include "core/checkpoint/parameter_layout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace clm {
namespace {

ModelConfig Config() {
  ModelConfig config;
  config.vocab_size = 7;
  config.hidden_size = 6;
  config.intermediate_size = 5;
  config.layers = 2;
  config.heads = 3;
  config.kv_heads = 1;
  return config;
}

TEST(ParameterLayoutTest, ParametersAreCountedByTheFormulaAndDoNotOverlap) {
  const ParameterLayout layout = ParameterLayout::Plain(Config());
  uint64_t count = 0;
  int64_t end = 0;
  for (const ParameterSpec& spec : layout.parameters()) {
    EXPECT_GE(spec.offset, end) << spec.name;
    EXPECT_LT(spec.offset - end, 16) << spec.name;
    end = spec.offset + spec.size();
    count += static_cast<uint64_t>(spec.size());
  }
  EXPECT_EQ(layout.total(), end);
  EXPECT_EQ(count, CountParameters(Config()).total());
}

TEST(ParameterLayoutTest, WhatIsMultipliedTogetherLiesTogether) {
  const ParameterLayout layout = ParameterLayout::Plain(Config());
  const auto after = [&](const char* name) {
    const ParameterSpec& spec = layout.Find(name);
    return spec.offset + spec.size();
  };
  EXPECT_EQ(layout.Find("model.layers.1.self_attn.k_proj.weight").offset,
            after("model.layers.1.self_attn.q_proj.weight"));
  EXPECT_EQ(layout.Find("model.layers.1.self_attn.v_proj.weight").offset,
            after("model.layers.1.self_attn.k_proj.weight"));
  EXPECT_EQ(layout.Find("model.layers.0.mlp.up_proj.weight").offset, after("model.layers.0.mlp.gate_proj.weight"));
  EXPECT_EQ(layout.Find("model.layers.1.self_attn.q_proj.weight").offset % 16, 0);
}

TEST(ParameterLayoutTest, GroupsAreContiguousAndCoverTheirParameters) {
  const ParameterLayout layout = ParameterLayout::Plain(Config());
  for (const ParameterSpec& spec : layout.parameters()) {
    const ParameterRange range = layout.range(spec.group);
    EXPECT_GE(spec.offset, range.begin) << spec.name;
    EXPECT_LE(spec.offset + spec.size(), range.end) << spec.name;
  }
  EXPECT_LE(layout.range(ParameterGroup::kMatrix).end, layout.range(ParameterGroup::kVector).begin);
  EXPECT_LE(layout.range(ParameterGroup::kVector).end, layout.range(ParameterGroup::kTable).begin);
  EXPECT_EQ(layout.range(ParameterGroup::kResidual).begin, layout.range(ParameterGroup::kResidual).end);
}

TEST(ParameterLayoutTest, TiedTablesHaveNoHead) {
  ModelConfig config = Config();
  config.tie_embeddings = true;
  EXPECT_FALSE(ParameterLayout::Plain(config).Contains("lm_head.weight"));
  EXPECT_TRUE(ParameterLayout::Plain(Config()).Contains("lm_head.weight"));
}

TEST(ParameterLayoutTest, InitialValuesAreNormalAndKeyedByName) {
  ParameterSpec spec{.name = "a", .rows = 301, .columns = 33, .init_deviation = 2.0};
  std::vector<float> values(static_cast<size_t>(spec.size()));
  ParameterLayout::Initialise(spec, 7, values.data());
  double sum = 0;
  double squares = 0;
  double fourths = 0;
  for (const float value : values) {
    const double x = static_cast<double>(value) / 2.0;
    sum += x;
    squares += x * x;
    fourths += x * x * x * x;
  }
  const auto n = static_cast<double>(values.size());
  EXPECT_NEAR(sum / n, 0, 0.04);      // 4 standard errors: 4 / sqrt(9933)
  EXPECT_NEAR(squares / n, 1, 0.06);  // 4 sqrt(2 / 9933)
  EXPECT_NEAR(fourths / n, 3, 0.4);   // 4 sqrt(96 / 9933)
  std::vector<float> other(values.size());
  spec.name = std::string(1, 'b');
  ParameterLayout::Initialise(spec, 7, other.data());
  EXPECT_NE(values, other);
}

}  // namespace
}  // namespace clm
