#include "server/convert/result_convert.h"

#include "gtest/gtest.h"

namespace clm {
namespace {

TEST(ResultConvertTest, PrepareListsEveryStreamOfEverySplit) {
  PrepareOutcome outcome;
  outcome.report.split(Split::kBuild).documents = 9;
  outcome.report.split(Split::kBuild).original_bytes = 90;
  outcome.report.split(Split::kBuild).symbols = {{"coordinate", 20}, {"token", 40}};
  outcome.report.layers = {{.definitions = 7, .symbols_before = 40, .symbols_after = 30}};
  outcome.report.bad_lines = 3;
  outcome.bad_line_examples = {"a.jsonl:4: no field text"};
  const v1::PrepareResult proto = ToProto(outcome);
  ASSERT_EQ(proto.streams_size(), 2);
  EXPECT_EQ(proto.streams(0).representation(), "coordinate");
  EXPECT_EQ(proto.streams(1).symbols(), 40u);
  EXPECT_EQ(proto.streams(1).original_bytes(), 90u);
  EXPECT_EQ(proto.universe(), "");
  EXPECT_EQ(proto.universe_layer_sizes(0), 7u);
  EXPECT_EQ(proto.bad_line_examples(0), "a.jsonl:4: no field text");
}

TEST(ResultConvertTest, TheLastValidationIsTheTrainingsResult) {
  TrainOutcome outcome;
  outcome.result.validations = {{.step = 1, .original_bytes = 10, .bits_per_byte = 4},
                                {.step = 2, .original_bytes = 20, .bits_per_byte = 3}};
  const v1::TrainResult proto = ToProto(outcome);
  EXPECT_EQ(proto.curve_size(), 2);
  EXPECT_EQ(proto.validation_bits_per_byte(), 3);
}

TEST(ResultConvertTest, UnknownRatiosAreZero) {
  Comparison comparison;
  comparison.delta_bits_per_byte = -0.5;
  comparison.interval = {.low = -0.6, .high = -0.4};
  comparison.verdict = Verdict::kBetter;
  const v1::CompareResponse proto = ToProto(comparison);
  EXPECT_EQ(proto.verdict(), "better");
  EXPECT_EQ(proto.delta_bits_per_byte().low(), -0.6);
  EXPECT_EQ(proto.generated_bytes_per_second_ratio(), 0);
}

TEST(ResultConvertTest, ProgressKeepsItsMetrics) {
  Progress progress;
  progress.phase = "train";
  progress.done_units = 3;
  progress.metrics = {{"learning_rate", 0.5}};
  const v1::JobProgress proto = ToProto(progress);
  EXPECT_EQ(proto.phase(), "train");
  EXPECT_EQ(proto.metrics(0).value(), 0.5);
  EXPECT_LT(proto.remaining_seconds(), 0);
}

}  // namespace
}  // namespace clm
