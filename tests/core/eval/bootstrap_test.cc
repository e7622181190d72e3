#include "core/eval/bootstrap.h"

#include <cmath>
#include <vector>

#include "core/base/rng.h"
#include "core/base/units.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

struct Sample {
  std::vector<double> nats;
  std::vector<uint64_t> bytes;
};

// Documents of 100 bytes whose nats per byte are uniform in [1, 3).
Sample RandomSample(size_t documents) {
  Sample sample;
  CounterRng rng(3, "test", 0);
  for (size_t i = 0; i < documents; ++i) {
    sample.nats.push_back(100 * (1 + 2 * rng.NextDouble()));
    sample.bytes.push_back(100);
  }
  return sample;
}

TEST(BootstrapTest, OneDocumentLeavesNoDoubt) {
  const Interval interval = BootstrapBitsPerByte(std::vector<double>{7}, std::vector<uint64_t>{5}, {});
  EXPECT_DOUBLE_EQ(interval.low, BitsPerByte(7, 5));
  EXPECT_DOUBLE_EQ(interval.high, BitsPerByte(7, 5));
}

// The mean of n values uniform in [1, 3) has standard deviation sqrt(1/3 / n); the interval is 2 * 1.96 of them wide.
TEST(BootstrapTest, WidthIsThatOfTheNormalApproximation) {
  for (const size_t documents : {size_t{400}, size_t{50'000}}) {  // the second one is drawn in units
    const Sample sample = RandomSample(documents);
    const Interval interval = BootstrapBitsPerByte(sample.nats, sample.bytes, {.resamples = 300});
    const double expected = 2 * 1.96 * std::sqrt(1.0 / 3 / static_cast<double>(documents)) / kNatsPerBit;
    EXPECT_NEAR(interval.high - interval.low, expected, 0.2 * expected) << documents;
  }
}

TEST(BootstrapTest, TheSameSeedGivesTheSameInterval) {
  const Sample sample = RandomSample(50);
  const Interval first = BootstrapBitsPerByte(sample.nats, sample.bytes, {.seed = 1});
  const Interval again = BootstrapBitsPerByte(sample.nats, sample.bytes, {.seed = 1});
  const Interval other = BootstrapBitsPerByte(sample.nats, sample.bytes, {.seed = 2});
  EXPECT_EQ(first.low, again.low);
  EXPECT_EQ(first.high, again.high);
  EXPECT_NE(first.low, other.low);
}

TEST(BootstrapTest, EmptyDocumentsNeverDivideByZero) {
  std::vector<double> nats(100, 1.0);
  std::vector<uint64_t> bytes(100, 0);
  bytes[7] = 10;
  const Interval interval = BootstrapBitsPerByte(nats, bytes, {});
  EXPECT_TRUE(std::isfinite(interval.low) && std::isfinite(interval.high));
  EXPECT_LE(interval.low, BitsPerByte(100, 10));
  EXPECT_GE(interval.high, BitsPerByte(100, 10));
}

TEST(BootstrapTest, PairingRemovesWhatBothShare) {
  const Sample sample = RandomSample(200);
  std::vector<double> better = sample.nats;
  for (double& nats : better) nats -= 1;  // 0.01 nats per byte, far less than the spread of the documents
  const Interval delta = BootstrapBitsPerByteDelta(sample.nats, better, sample.bytes, {});
  EXPECT_NEAR(delta.low, -BitsPerByte(1, 100), 1e-12);
  EXPECT_NEAR(delta.high, -BitsPerByte(1, 100), 1e-12);
}

TEST(BootstrapTest, OptionsOutOfRangeAreNamed) {
  EXPECT_OK(BootstrapOptions{}.Validate());
  EXPECT_THAT((BootstrapOptions{.resamples = 19}).Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("resamples is 19")));
  EXPECT_THAT((BootstrapOptions{.resamples = 100'001}).Validate(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT((BootstrapOptions{.confidence = 1}).Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("confidence is 1")));
  EXPECT_THAT((BootstrapOptions{.confidence = std::nan("")}).Validate(), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace clm
