#include "core/engine/transformer_weights.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/core/engine/small_engine.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

TEST(TransformerWeightsTest, ShapesFollowTheConfig) {
  const ModelConfig config = SmallEngineConfig();
  ASSERT_OK_AND_ASSIGN(const auto weights, TransformerWeights::Create(config, RandomWeights(config, 1)));
  ASSERT_EQ(weights.layers.size(), 2U);
  EXPECT_EQ(weights.layers[0].qkv.rows(), 24U + 2 * 12);
  EXPECT_EQ(weights.layers[0].gate_up.rows(), 2 * 37U);
  EXPECT_EQ(weights.layers[1].down.columns(), 37U);
  EXPECT_EQ(weights.head.rows(), 75U);
  EXPECT_EQ(weights.rotary_steps.size(), 3U);
  EXPECT_NEAR(std::ldexp(weights.root_width.mantissa, weights.root_width.exponent), std::sqrt(24.0), 1e-3);
}

TEST(TransformerWeightsTest, TiedTablesShareTheirValues) {
  ModelConfig config = SmallEngineConfig();
  config.tie_embeddings = true;
  const std::vector<float> floats = RandomWeights(config, 1);
  ASSERT_OK_AND_ASSIGN(const auto weights, TransformerWeights::Create(config, floats));
  const double embedding = std::ldexp(weights.embedding.values[5], weights.embedding.exponent);
  const double head =
      weights.head.weight(0, 5) * std::ldexp(weights.head.row_scales()[0], weights.head.exponent()) * std::log(2.0);
  EXPECT_NEAR(head, embedding, 0.01);
}

TEST(TransformerWeightsTest, HeadsTooWideForTheSumsAreRefused) {
  ModelConfig config = SmallEngineConfig();
  config.heads = 1;
  config.kv_heads = 1;
  config.hidden_size = 1026;
  config.layers = 1;
  config.intermediate_size = 1;
  config.vocab_size = 71;
  const std::vector<float> floats(static_cast<size_t>(ParameterLayout::Plain(config).total()));
  EXPECT_THAT(
      TransformerWeights::Create(config, floats),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("heads are 1026 wide, the engine's sums allow 1024")));
}

TEST(TransformerWeightsTest, WeightsOfZeroWork) {
  const ModelConfig config = SmallEngineConfig();
  const std::vector<float> floats(static_cast<size_t>(ParameterLayout::Plain(config).total()));
  const auto model = EngineModel::FromWeights(config, floats);
  ASSERT_OK(model);
  const auto session = Session(*model, {.lanes = 1});
  for (SymbolId symbol = 0; symbol < 75; ++symbol) {
    EXPECT_NEAR(session->Interval(0, symbol).frequency, (1 << 20) / 75.0, 1) << symbol;
  }
}

}  // namespace
}  // namespace clm
