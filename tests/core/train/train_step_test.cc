#include "core/train/train_step.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

#include "core/train/optimizer.h"
#include "tests/core/train/pattern_source.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

ModelConfig SmallConfig() {
  ModelConfig config;
  config.vocab_size = PatternSource::kVocab;
  config.hidden_size = 16;
  config.intermediate_size = 24;
  config.layers = 1;
  config.heads = 2;
  config.kv_heads = 2;
  config.max_positions = 8;
  config.boundary = PatternSource::kBoundary;
  return config;
}

class TrainStepTest : public ::testing::Test {
 protected:
  void SetUp() override {
    at::set_num_threads(1);
    model_.Initialise(1);
    model_.EnableGradients();
    ASSERT_OK(PatternSource().Get(4, batch_));
  }
  Transformer model_{SmallConfig(), at::kCPU, nullptr};
  Batch batch_;
};

TEST_F(TrainStepTest, SplitKeepsEveryTargetOnceInOrderAndDropsPadding) {
  std::vector<int64_t> want;
  for (const int64_t target : batch_.targets) {
    if (target != Batch::kNoTarget) want.push_back(target);
  }
  for (const uint64_t micro : {1U, 7U, 12U, 1000U}) {
    for (const bool mask : {false, true}) {
      std::vector<int64_t> got;
      const std::vector<TokenBatch> parts = TrainStep(model_, micro, mask).Split(batch_);
      for (const TokenBatch& part : parts) {
        got.insert(got.end(), part.targets.begin(), part.targets.end());
        int64_t covered = 0;
        for (const TokenSpan& span : part.spans) {
          EXPECT_EQ(span.offset, covered);
          covered += span.rows * span.length;
        }
        EXPECT_EQ(covered, part.size());
        // Over the limit only when a single sequence is.
        EXPECT_TRUE(part.inputs.size() <= micro || (part.spans.size() == 1 && part.spans[0].rows == 1));
      }
      EXPECT_EQ(got, want) << micro << " " << mask;
    }
  }
}

TEST_F(TrainStepTest, TheMaskCutsRowsIntoDocuments) {
  const TokenBatch whole = TrainStep(model_, 1000, /*document_mask=*/false).Split(batch_).at(0);
  EXPECT_EQ(whole.spans[0].length, 8);
  const TokenBatch masked = TrainStep(model_, 1000, /*document_mask=*/true).Split(batch_).at(0);
  for (const TokenSpan& span : masked.spans) {
    for (int64_t row = 0; row < span.rows; ++row) {
      for (int64_t i = 1; i < span.length; ++i) {  // the boundary only ever starts a sequence
        EXPECT_NE(masked.inputs[static_cast<size_t>(span.offset + row * span.length + i)], PatternSource::kBoundary);
      }
    }
  }
}

TEST_F(TrainStepTest, MicroBatchesChangeRoundingOnly) {
  TrainStep whole(model_, 1000, true);
  ASSERT_OK_AND_ASSIGN(const StepLoss want, whole.Run(batch_));
  const at::Tensor gradients = model_.gradients().clone();
  TrainStep cut(model_, 5, true);
  ASSERT_OK_AND_ASSIGN(const StepLoss got, cut.Run(batch_));
  EXPECT_NEAR(got.nats, want.nats, 1e-5 * want.nats);
  EXPECT_EQ(got.targets, batch_.target_count);
  EXPECT_EQ(got.original_bytes, batch_.original_bytes);
  EXPECT_LT((model_.gradients() - gradients).norm().item<double>(), 1e-5 * gradients.norm().item<double>());
}

TEST_F(TrainStepTest, SymbolsBeyondTheVocabularyAreNamed) {
  batch_.inputs[3] = PatternSource::kVocab;
  EXPECT_THAT(TrainStep(model_, 5, true).Run(batch_),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("symbol 11 at position 3")));
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
