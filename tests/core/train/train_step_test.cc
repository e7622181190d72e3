#include "core/train/train_step.h"

#include <gtest/gtest.h>

#include <vector>

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

}  // namespace
}  // namespace clm
