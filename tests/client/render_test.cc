#include "client/render.h"

#include <algorithm>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clm::client {
namespace {

using ::testing::HasSubstr;

TEST(RenderTest, TableAlignsItsColumns) {
  EXPECT_EQ(Table({{"a", "long header"}, {"value", "x"}}), "a      long header\nvalue  x\n");
}

TEST(RenderTest, NamesLoseTheirPrefixes) {
  EXPECT_EQ(StateName(v1::JOB_STATE_RUNNING), "running");
  EXPECT_EQ(KindName(v1::JOB_KIND_EVALUATE), "evaluate");
  EXPECT_EQ(KindName(v1::ARTIFACT_KIND_CORPUS), "corpus");
  EXPECT_EQ(ArtifactKindOf("corpus"), v1::ARTIFACT_KIND_CORPUS);
  EXPECT_EQ(ArtifactKindOf("nonsense"), v1::ARTIFACT_KIND_UNSPECIFIED);
}

TEST(RenderTest, IdsAreTheLastPartOfAName) {
  EXPECT_EQ(IdOf("jobs/42"), "42");
  EXPECT_EQ(IdOf("42"), "42");
  EXPECT_EQ(ShortId("artifacts/blob/0123456789abcdef"), "0123456789ab");
}

TEST(RenderTest, TimesAreInUtc) {
  google::protobuf::Timestamp time;
  EXPECT_EQ(TimeText(time), "-");
  time.set_seconds(1'800'000'000);  // 2027-01-15T08:00:00Z
  EXPECT_EQ(TimeText(time), "2027-01-15 08:00:00");
}

TEST(RenderTest, ProgressShowsShareLossAndRemainingTime) {
  v1::JobProgress progress;
  progress.set_phase("train");
  progress.set_done_units(50);
  progress.set_total_units(200);
  progress.set_unit("steps");
  progress.set_remaining_seconds(90);
  v1::Metric& loss = *progress.add_metrics();
  loss.set_name("train_loss_nats_per_byte");
  loss.set_value(1.25);
  const std::string text = ProgressText(progress);
  EXPECT_THAT(text, HasSubstr("25 %"));
  EXPECT_THAT(text, HasSubstr("50/200 steps"));
  EXPECT_THAT(text, HasSubstr("loss 1.2500 nats/byte"));
  EXPECT_THAT(text, HasSubstr("1m 30s left"));
}

TEST(ProgressLineTest, WithoutATerminalRepeatsOnlyNewPhases) {
  v1::JobProgress progress;
  progress.set_phase("read");
  ::testing::internal::CaptureStderr();
  {
    ProgressLine line(/*enabled=*/true, "");
    line.Show(progress);
    line.Show(progress);
    progress.set_phase("fold");
    line.Show(progress);
  }
  const std::string printed = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(printed.begin(), printed.end(), '\n'), 2);
}

}  // namespace
}  // namespace clm::client
