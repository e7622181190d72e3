#include "core/pipeline/train.h"

#include "core/pipeline/evaluate.h"
#include "tests/core/pipeline/trained_fixture.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

using TrainTest = TrainedTest;

TEST_F(TrainTest, EqualRunsGiveEqualCheckpoints) {
  ASSERT_OK_AND_ASSIGN(const TrainOutcome first, RunTrain(Options("token"), Context("one")));
  ASSERT_OK_AND_ASSIGN(const TrainOutcome second, RunTrain(Options("token"), Context("two")));
  EXPECT_EQ(first.checkpoint, second.checkpoint);
  EXPECT_EQ(first.result.original_bytes, second.result.original_bytes);
}

TEST_F(TrainTest, ACancelledRunContinuesToTheSameWeights) {
  ASSERT_OK_AND_ASSIGN(const TrainOutcome whole, RunTrain(Options("coordinate"), Context("whole")));
  PipelineContext context = Context("cut");
  context.progress = [&](const Progress& progress) {
    if (progress.phase == "train" && progress.done_units >= 4) cancel_.Cancel();
  };
  EXPECT_THAT(RunTrain(Options("coordinate"), context), StatusIs(absl::StatusCode::kCancelled));
  cancel_ = CancellationSource();
  ASSERT_OK_AND_ASSIGN(const TrainOutcome resumed, RunTrain(Options("coordinate"), Context("cut")));
  EXPECT_GT(resumed.result.resumed_from_step, 0u);
  EXPECT_EQ(resumed.checkpoint, whole.checkpoint);
}

TEST_F(TrainTest, BothArmsReadTheSameBytesInTheSameSteps) {
  ASSERT_OK_AND_ASSIGN(const TrainOutcome token, RunTrain(Options("token"), Context("t")));
  ASSERT_OK_AND_ASSIGN(const TrainOutcome coordinate, RunTrain(Options("coordinate"), Context("c")));
  EXPECT_EQ(token.result.steps, coordinate.result.steps);
  EXPECT_NEAR(static_cast<double>(token.result.original_bytes), static_cast<double>(coordinate.result.original_bytes),
              64);
  EXPECT_LT(coordinate.result.targets, token.result.targets);
}

TEST_F(TrainTest, ComposedRowsTrainForBothRepresentations) {
  for (const std::string kind : {"token", "coordinate"}) {
    TrainOptions options = Options(kind);
    options.compose_rows = true;
    ASSERT_OK_AND_ASSIGN(const TrainOutcome outcome, RunTrain(options, Context(kind)));
    EXPECT_GT(outcome.result.parameters.head, 0u) << kind;  // saved with untied tables
  }
}

TEST_F(TrainTest, AMissingRepresentationIsNamed) {
  EXPECT_THAT(RunTrain(Options("byte"), Context()), StatusIs(absl::StatusCode::kNotFound, HasSubstr("byte")));
}

}  // namespace
}  // namespace clm
