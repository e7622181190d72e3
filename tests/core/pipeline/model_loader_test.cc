#include "core/pipeline/model_loader.h"

#include "tests/core/pipeline/trained_fixture.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;
using ::testing::Contains;
using ::testing::HasSubstr;

using LoadModelTest = TrainedTest;

TEST_F(LoadModelTest, ACheckpointBringsItsRepresentation) {
  ASSERT_OK_AND_ASSIGN(const TrainOutcome outcome, RunTrain(Options("coordinate"), Context()));
  ASSERT_OK_AND_ASSIGN(const std::shared_ptr<const LoadedModel> model,
                       LoadModel(*store_, outcome.checkpoint, "cpu", {}));
  EXPECT_EQ(model->representation().kind(), "coordinate");
  EXPECT_EQ(model->corpus(), prepared_.corpus);
  EXPECT_EQ(model->facts().parameters(), outcome.result.parameters.total());
  EXPECT_EQ(model->facts().context, 32u);
  EXPECT_EQ(model->facts().trained_bytes, outcome.result.original_bytes);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<NextSymbolModel> stepper, model->NewStepper());
  EXPECT_EQ(stepper->vocab_size(), model->representation().layout().vocab_size);
  EXPECT_THAT(model->NewScorer(32), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("context_overlap is 32")));
}

TEST_F(LoadModelTest, OnlyCheckpointsAreModels) {
  EXPECT_THAT(LoadModel(*store_, prepared_.corpus, "cpu", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no checkpoint")));
}

TEST_F(LoadModelTest, TheProcessorIsAlwaysUsable) {
  EXPECT_THAT(UsableDevices(), Contains("cpu"));
  EXPECT_THAT(LibTorchVersion(), ::testing::StartsWith("2."));
}

}  // namespace
}  // namespace clm
