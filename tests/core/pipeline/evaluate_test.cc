#include "core/pipeline/evaluate.h"

#include "tests/core/pipeline/trained_fixture.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

class EvaluateTest : public TrainedTest {
 protected:
  ArtifactId Train(const std::string& representation) {
    auto outcome = RunTrain(Options(representation), Context(representation));
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    return outcome->checkpoint;
  }

  absl::StatusOr<EvaluateOutcome> Evaluate(const ArtifactId& checkpoint, uint32_t batch = 16) {
    EvaluateOptions options;
    options.checkpoint = checkpoint;
    options.batch_documents = batch;
    options.device = "cpu";
    return RunEvaluate(options, Context("evaluate"));
  }
};

TEST_F(EvaluateTest, DividesByTheBytesThatPrepareCounted) {
  ASSERT_OK_AND_ASSIGN(const EvaluateOutcome outcome, Evaluate(Train("token")));
  const PrepareSplitReport& split = prepared_.report.split(Split::kValidation);
  EXPECT_EQ(outcome.result.result.original_bytes, split.original_bytes);
  EXPECT_EQ(outcome.result.result.symbols, split.symbols.at("token"));
  EXPECT_GT(outcome.result.result.bits_per_byte, 0);
}

TEST_F(EvaluateTest, TheBatchDoesNotMatter) {
  const ArtifactId checkpoint = Train("coordinate");
  ASSERT_OK_AND_ASSIGN(const EvaluateOutcome one, Evaluate(checkpoint, 1));
  ASSERT_OK_AND_ASSIGN(const EvaluateOutcome seven, Evaluate(checkpoint, 7));
  EXPECT_NEAR(one.result.result.bits_per_byte / seven.result.result.bits_per_byte, 1, 1e-6);
}

TEST_F(EvaluateTest, ReportsOfBothArmsCompare) {
  ASSERT_OK_AND_ASSIGN(const EvaluateOutcome token, Evaluate(Train("token")));
  ASSERT_OK_AND_ASSIGN(const EvaluateOutcome coordinate, Evaluate(Train("coordinate")));
  ASSERT_OK_AND_ASSIGN(const Comparison comparison, RunCompare(*store_, token.report, coordinate.report));
  EXPECT_LT(*comparison.symbols_ratio, 1);
  ASSERT_OK_AND_ASSIGN(const Comparison self, RunCompare(*store_, token.report, token.report));
  EXPECT_EQ(self.delta_bits_per_byte, 0);
  EXPECT_EQ(self.verdict, Verdict::kUndecided);
}

TEST_F(EvaluateTest, OtherDocumentsAreScoredFromTheirFiles) {
  EvaluateOptions options;
  options.checkpoint = Train("token");
  options.device = "cpu";
  options.inputs = {WriteInput("other.txt", "the cat sees the river")};
  ASSERT_OK_AND_ASSIGN(const EvaluateOutcome outcome, RunEvaluate(options, Context("other")));
  EXPECT_EQ(outcome.result.split, "documents");
  EXPECT_EQ(outcome.result.result.original_bytes, 22u);
  ASSERT_OK_AND_ASSIGN(const EvaluateOutcome split, Evaluate(options.checkpoint));
  EXPECT_THAT(RunCompare(*store_, outcome.report, split.report),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("split")));
}

TEST_F(EvaluateTest, ATrainingReportIsNothingToCompare) {
  ASSERT_OK_AND_ASSIGN(const TrainOutcome outcome, RunTrain(Options("token"), Context("t")));
  EXPECT_THAT(RunCompare(*store_, outcome.report, outcome.report), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace clm
