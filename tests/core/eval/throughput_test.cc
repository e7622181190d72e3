#include "core/eval/throughput.h"

#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ThroughputTest : public ::testing::Test {
 protected:
  // A run whose decoding takes the next of `seconds`; every prompt takes 5 seconds.
  DecodeRun RunsOf(std::vector<int> seconds, uint64_t bytes) {
    return [this, seconds = std::move(seconds), bytes,
            next = size_t{0}](const std::function<void()>& prefill_done) mutable -> absl::StatusOr<uint64_t> {
      clock_.Advance(absl::Seconds(5));
      prefill_done();
      clock_.Advance(absl::Seconds(seconds.at(next++)));
      return bytes;
    };
  }

  FakeClock clock_;
};

TEST_F(ThroughputTest, PromptsAndWarmUpAreLeftOutAndTheMedianCounts) {
  ASSERT_OK_AND_ASSIGN(const Throughput result,
                       MeasureDecodedThroughput(RunsOf({100, 1, 10, 2, 4, 5}, 100), {}, clock_));
  EXPECT_THAT(result.bytes_per_second, ElementsAre(100, 10, 50, 25, 20));
  EXPECT_EQ(result.median_bytes_per_second, 25);
  EXPECT_EQ(result.median_prefill_seconds, 5);
  EXPECT_EQ(result.decoded_bytes, 500U);
}

TEST_F(ThroughputTest, AnEvenNumberOfRunsTakesTheMiddleOfTwo) {
  ASSERT_OK_AND_ASSIGN(const Throughput result,
                       MeasureDecodedThroughput(RunsOf({1, 2, 4, 10}, 100), {.runs = 4, .warm_up_runs = 0}, clock_));
  EXPECT_EQ(result.median_bytes_per_second, 37.5);
}

TEST_F(ThroughputTest, ARunThatMeasuresNothingIsRefused) {
  const auto refused = [](const char* text) {
    return StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(text));
  };
  EXPECT_THAT(MeasureDecodedThroughput(RunsOf({1}, 0), {}, clock_), refused("no bytes"));
  EXPECT_THAT(MeasureDecodedThroughput(RunsOf({0}, 9), {}, clock_), refused("no time"));
  const DecodeRun silent = [](const std::function<void()>&) -> absl::StatusOr<uint64_t> { return 5; };
  EXPECT_THAT(MeasureDecodedThroughput(silent, {}, clock_), refused("prompt"));
}

TEST_F(ThroughputTest, ErrorsAndCancellationPassThrough) {
  const DecodeRun failing = [](const std::function<void()>&) -> absl::StatusOr<uint64_t> {
    return absl::UnavailableError("device lost");
  };
  EXPECT_THAT(MeasureDecodedThroughput(failing, {}, clock_), StatusIs(absl::StatusCode::kUnavailable));
  CancellationSource source;
  source.Cancel();
  EXPECT_THAT(MeasureDecodedThroughput(RunsOf({1}, 1), {}, clock_, source.token()),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(MeasureDecodedThroughput(failing, {.runs = 0}, clock_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("runs is 0")));
  EXPECT_THAT(MeasureDecodedThroughput(failing, {.warm_up_runs = 1'001}, clock_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("warm_up_runs")));
}

}  // namespace
}  // namespace clm
