#include "core/engine/transformer_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/checkpoint/checkpoint.h"
#include "tests/core/engine/small_engine.h"

namespace clm {
namespace {

struct Gap {
  double error = 0;    // root mean square of a logit's, in nats, both centred
  double spread = 0;   // standard deviation of the twin's logits
  double nats = 0;     // mean cost of the twin's distribution under the engine's
  double entropy = 0;  // mean entropy of the twin's distribution
};

// Runs engine and twin over the same random symbols.
Gap Compare(const ModelConfig& config, float scale, size_t length, uint32_t window) {
  const std::vector<float> weights = RandomWeights(config, 11, scale);
  auto model = EngineModel::FromWeights(config, weights);
  EXPECT_OK(model);
  const auto session = Session(*model, {.lanes = 1, .window = window, .threads = 1, .target = {}});
  std::vector<SymbolId> symbols = {config.boundary};
  for (const SymbolId symbol : RandomSymbols(length, config.vocab_size, 3)) symbols.push_back(symbol);
  const auto want = FloatTwin(config, weights).Logits(symbols, window);
  Gap gap;
  const auto count = static_cast<double>(config.vocab_size);
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (i > 0) {
      const LaneUpdate one = {0, symbols[i]};
      session->Step({&one, 1});
    }
    std::vector<double> got;
    for (const int32_t logit : session->Logits(0)) got.push_back(logit / 65536.0 * std::log(2.0));
    const double got_mean = std::accumulate(got.begin(), got.end(), 0.0) / count;
    const double want_mean = std::accumulate(want[i].begin(), want[i].end(), 0.0) / count;
    double got_total = 0;
    double want_total = 0;
    double squares = 0;
    for (size_t k = 0; k < got.size(); ++k) {
      const double off = (got[k] - got_mean) - (want[i][k] - want_mean);
      gap.error += off * off / (count * static_cast<double>(symbols.size()));
      squares += (want[i][k] - want_mean) * (want[i][k] - want_mean);
      got_total += std::exp(got[k]);
      want_total += std::exp(want[i][k]);
    }
    gap.spread = std::max(gap.spread, std::sqrt(squares / count));
    for (size_t k = 0; k < got.size(); ++k) {
      const double p = std::exp(want[i][k]) / want_total;
      gap.nats += p * (std::log(got_total) - got[k]) / static_cast<double>(symbols.size());
      gap.entropy += p * (std::log(want_total) - want[i][k]) / static_cast<double>(symbols.size());
    }
  }
  gap.error = std::sqrt(gap.error);
  return gap;
}

TEST(TransformerNetworkTest, LogitsAreCloseToTheTwins) {
  const Gap gap = Compare(SmallEngineConfig(), 2.0F, 80, 40);
  EXPECT_GT(gap.spread, 1);
  EXPECT_LT(gap.error, 0.1 * gap.spread);
  EXPECT_LT(gap.nats, gap.entropy * 1.005);
}

TEST(TransformerNetworkTest, EveryShapeIsCloseToTheTwin) {
  ModelConfig config = SmallEngineConfig();
  config.tie_embeddings = true;
  config.heads = 2;
  config.kv_heads = 1;
  config.hidden_size = 36;  // heads of 18: no multiple of a group or a panel
  config.layers = 3;
  config.vocab_size = 600;
  config.rope_theta = 500;
  config.rms_norm_eps = 0.01;
  const Gap gap = Compare(config, 1.5F, 30, 7);
  EXPECT_LT(gap.nats, gap.entropy * 1.005);
  config.heads = 18;  // heads of 2
  config.kv_heads = 18;
  config.layers = 1;
  const Gap other = Compare(config, 1.0F, 20, 40);
  EXPECT_LT(other.nats, other.entropy * 1.005);
}

TEST(TransformerNetworkTest, SmallAndLargeWeightsStayInRange) {
  for (const float scale : {0.001F, 8.0F}) {
    const Gap gap = Compare(SmallEngineConfig(), scale, 20, 40);
    EXPECT_LT(gap.error, 0.5 * gap.spread + 1e-4) << scale;
  }
}

// Checkpoints that `transformers` made, with its logits: 16 symbols each, without a boundary before them.
class TransformersEngineTest : public ::testing::TestWithParam<std::string> {};

TEST_P(TransformersEngineTest, LogitsAreCloseToTheirs) {
  const std::string folder = absl::StrCat(CLM_GOLDEN_DIR, "/", GetParam());
  ASSERT_OK_AND_ASSIGN(const ModelConfig config, ReadCheckpointConfig(PosixFileSystem(), folder));
  ASSERT_OK_AND_ASSIGN(const CheckpointWeights file, CheckpointWeights::Open(PosixFileSystem(), folder, config));
  std::vector<float> floats(static_cast<size_t>(ParameterLayout::Plain(config).total()));
  file.Read(floats);
  ASSERT_OK_AND_ASSIGN(TransformerWeights weights, TransformerWeights::Create(config, floats));
  const TransformerNetwork network(std::move(weights));
  ASSERT_OK_AND_ASSIGN(const SafetensorsFile expected,
                       SafetensorsFile::Open(PosixFileSystem(), JoinPath(folder, "expected_logits.safetensors")));
  const TensorView& ids = *expected.Find("input_ids");  // [3, 16] int32
  const TensorView& want = *expected.Find("logits");    // [3, 16, 64]
  std::vector<EngineRow> rows(48);
  for (uint32_t i = 0; i < 48; ++i) {
    int32_t id = 0;
    std::memcpy(&id, ids.bytes.data() + i * 4, 4);
    rows[i] = {i / 16, static_cast<SymbolId>(id)};
  }
  ThreadTeam team(2);
  const auto state = network.NewState({.lanes = 3, .window = 16, .threads = 2, .target = DotTarget::kScalar});
  double squares = 0;
  double errors = 0;
  std::vector<std::vector<int32_t>> got(48);
  network.Advance(*state, rows, team, [&](size_t row, size_t, std::span<const int32_t> logits) {
    got[row].assign(logits.begin(), logits.end());
  });
  for (size_t row = 0; row < 48; ++row) {
    for (size_t v = 0; v < 64; ++v) {
      float theirs = 0;
      std::memcpy(&theirs, want.bytes.data() + (row * 64 + v) * 4, 4);
      const double ours = got[row][v] / 65536.0 * std::log(2.0);
      errors += (ours - static_cast<double>(theirs)) * (ours - static_cast<double>(theirs));
      squares += static_cast<double>(theirs) * static_cast<double>(theirs);
    }
  }
  EXPECT_LT(std::sqrt(errors / squares), 0.05);
}

INSTANTIATE_TEST_SUITE_P(Files, TransformersEngineTest, ::testing::Values("tiny_llama", "tiny_llama_tied"));

}  // namespace
}  // namespace clm
