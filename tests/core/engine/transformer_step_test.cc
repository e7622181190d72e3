#include "core/engine/transformer_step.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

#include "tests/core/engine/small_engine.h"

namespace clm {
namespace {

TEST(TransformerStepTest, RowsTogetherGiveWhatRowsAloneGive) {
  const ModelConfig config = SmallEngineConfig();
  ASSERT_OK_AND_ASSIGN(const auto weights, TransformerWeights::Create(config, RandomWeights(config, 1, 2.0F)));
  const KvShape shape = {.layers = 2, .kv_heads = 2, .head_size = 6, .window = 12, .batch = 16};
  const std::vector<SymbolId> symbols = RandomSymbols(64, config.vocab_size, 1);
  // Four lanes of 16 symbols, each row alone, against all rows in two batches with their lanes in other order.
  std::vector<std::vector<int32_t>> alone(64);
  std::vector<std::vector<int32_t>> together(64);
  KvCache first(shape, 4);
  KvCache second(shape, 4);
  TransformerStep one(weights, DotOf(DotTarget::kScalar), first);
  TransformerStep many(weights, DotOf(SupportedDotTargets().back()), second);
  std::vector<PlacedRow> rows;
  for (size_t i = 0; i < 64; ++i) {
    const PlacedRow row = {static_cast<uint32_t>(i / 16), symbols[i], i % 16, i};
    one.Run(
        {&row, 1}, [] {}, 0,
        [&](size_t index, size_t, std::span<const int32_t> logits) {
          alone[index].assign(logits.begin(), logits.end());
        });
    rows.push_back(row);
  }
  for (const size_t begin : std::initializer_list<size_t>{32, 0}) {
    size_t barriers = 0;
    many.Run(
        std::span(rows).subspan(begin, 32), [&barriers] { ++barriers; }, 3,
        [&](size_t index, size_t thread, std::span<const int32_t> logits) {
          EXPECT_EQ(thread, 3U);
          together[index].assign(logits.begin(), logits.end());
        });
    EXPECT_EQ(barriers, 2U);  // one per layer
  }
  EXPECT_EQ(together, alone);
}

}  // namespace
}  // namespace clm
