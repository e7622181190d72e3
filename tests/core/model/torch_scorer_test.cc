// The rules of SequenceScorer.
#include "core/model/torch_scorer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <span>
#include <vector>

#include "core/base/units.h"
#include "core/checkpoint/checkpoint.h"
#include "tests/core/model/small_model.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::HasSubstr;

// Nats by feeding a NextSymbolModel symbol after symbol: the slow twin of the scorer.
double NatsStepByStep(NextSymbolModel& stepper, SymbolId boundary, const std::vector<SymbolId>& document) {
  stepper.Reset();
  SymbolId input = boundary;
  double nats = 0;
  std::vector<float> logits;
  for (const SymbolId symbol : document) {
    EXPECT_OK(stepper.Feed(std::span(&input, 1), logits));
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
    nats += std::log(sum) - static_cast<double>(logits[symbol]);
    input = symbol;
  }
  return nats;
}

TEST(TorchScorerTest, NatsDoNotDependOnTheBatch) {  // acceptance: 1e-6 relative for batches of 1, 7, 64
  const std::unique_ptr<Model> model = SmallModel();
  const auto documents = Documents(70);
  for (const int stride : {0, 1, 4, 8}) {
    const std::vector<double> want = Nats(*model, documents, {.stride = stride, .batch_windows = 1});
    for (const int windows : {7, 64}) {
      const std::vector<double> got = Nats(*model, documents, {.stride = stride, .batch_windows = windows});
      for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-6 * want[i]) << i << " " << stride;
    }
  }
}

TEST(TorchScorerTest, StrideDoesNotMatterWhileTheWholeDocumentFits) {
  const std::unique_ptr<Model> model = SmallModel();
  auto documents = Documents(8);  // at most 8 symbols with the boundary
  const std::vector<double> want = Nats(*model, documents, {.stride = 8});
  for (const int stride : {1, 3, 5}) EXPECT_EQ(Nats(*model, documents, {.stride = stride}), want);
}

TEST(TorchScorerTest, AgreesWithSteppingThroughLongDocuments) {
  const std::unique_ptr<Model> model = SmallModel();
  const auto documents = Documents(46);
  for (const int stride : {0, 1, 3, 8}) {
    const std::vector<double> nats = Nats(*model, documents, {.stride = stride});
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<NextSymbolModel> stepper, model->NewStepper(stride));
    for (size_t i = 0; i < documents.size(); ++i) {
      EXPECT_NEAR(nats[i], NatsStepByStep(*stepper, 28, documents[i]), 2e-5 * nats[i] + 1e-6) << i << " " << stride;
    }
  }
}

TEST(TorchScorerTest, UniformModelCostsLogOfTheVocabularyExactly) {  // acceptance: to 1e-9
  const TemporaryDirectory folder;
  const ModelConfig config = SmallConfig();
  const std::vector<float> zeros(static_cast<size_t>(ParameterLayout::Plain(config).total()), 0.0F);
  ASSERT_OK(WriteCheckpoint(PosixFileSystem(), folder.path(), config, zeros));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Model> model, Model::Load(PosixFileSystem(), folder.path(), "cpu"));
  const auto documents = Documents(40);
  double nats = 0;
  size_t symbols = 0;
  for (const auto& document : documents) symbols += document.size();
  for (const double value : Nats(*model, documents, {})) nats += value;
  const double bytes = 1000;
  EXPECT_NEAR(BitsPerByte(nats, bytes), static_cast<double>(symbols) / bytes * std::log2(29.0), 1e-9);
}

TEST(TorchScorerTest, BadInputIsNamed) {
  const std::unique_ptr<Model> model = SmallModel();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<SequenceScorer> scorer, model->NewScorer({}));
  const std::vector<std::vector<SymbolId>> documents = {{28}, {1, 29, 28}};
  EXPECT_THAT(scorer->Score(documents, {}),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("document 1: symbol 29 at position 1")));
  CancellationSource source;
  source.Cancel();
  EXPECT_THAT(scorer->Score(Documents(3), source.token()), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(model->NewScorer({.stride = 9}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("stride is 9")));
  EXPECT_THAT(model->NewScorer({.batch_windows = 0}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(model->NewScorer({.batch_symbols = 0}), StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_OK_AND_ASSIGN(const auto nothing, scorer->Score({}, {}));
  EXPECT_TRUE(nothing.empty());
}

}  // namespace
}  // namespace clm
