#include "core/eval/compare.h"

#include <functional>

#include "core/base/rng.h"
#include "tests/core/eval/some_report.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::ReportOf;
using ::clm::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

// 50 documents of 100 bytes; `shift` is added to each one's nats, `noise` scales a difference of either sign.
BpbReport NoisyReport(double shift, double noise) {
  std::vector<double> nats;
  CounterRng rng(11, "test", 0);
  for (int i = 0; i < 50; ++i) {
    const double spread = 100 * rng.NextDouble();
    nats.push_back(100 + spread + shift + noise * (rng.NextDouble() - 0.5));
  }
  return ReportOf(std::move(nats), std::vector<uint64_t>(50, 100));
}

TEST(CompareTest, AReportComparedWithItselfGivesZero) {
  ASSERT_OK_AND_ASSIGN(const Comparison same, CompareReports(NoisyReport(0, 0), NoisyReport(0, 0)));
  EXPECT_EQ(same.delta_bits_per_byte, 0);
  EXPECT_EQ(same.interval.low, 0);
  EXPECT_EQ(same.interval.high, 0);
  EXPECT_EQ(same.verdict, Verdict::kUndecided);
  EXPECT_EQ(same.symbols_ratio, 1);
  EXPECT_EQ(same.flops_per_byte_ratio, 1);
  EXPECT_EQ(same.training_bytes_ratio, 1);
}

TEST(CompareTest, OnlyAnIntervalWithoutZeroDecides) {
  ASSERT_OK_AND_ASSIGN(const Comparison better, CompareReports(NoisyReport(0, 0), NoisyReport(-1, 1)));
  EXPECT_EQ(better.verdict, Verdict::kBetter);
  EXPECT_LT(better.interval.high, 0);
  EXPECT_TRUE(better.interval.Contains(better.delta_bits_per_byte));
  ASSERT_OK_AND_ASSIGN(const Comparison worse, CompareReports(NoisyReport(-1, 1), NoisyReport(0, 0)));
  EXPECT_EQ(worse.verdict, Verdict::kWorse);
  EXPECT_GT(worse.interval.low, 0);
  EXPECT_EQ(worse.delta_bits_per_byte, -better.delta_bits_per_byte);
  ASSERT_OK_AND_ASSIGN(const Comparison open, CompareReports(NoisyReport(0, 0), NoisyReport(-0.1, 20)));
  EXPECT_EQ(open.verdict, Verdict::kUndecided);
  EXPECT_TRUE(open.interval.Contains(0));
}

TEST(CompareTest, RatiosAreCandidateOverBaselineAndAbsentWhereUnknown) {
  const BpbReport baseline = NoisyReport(0, 0);
  BpbReport candidate = baseline;
  candidate.representation = "coordinate";
  candidate.result.symbols = baseline.result.symbols / 2;
  candidate.result.bytes_per_second *= 3;
  candidate.flops_per_byte = 0;
  candidate.training.seconds *= 2;
  candidate.parameters.embedding += 1'500;
  ASSERT_OK_AND_ASSIGN(const Comparison comparison, CompareReports(baseline, candidate));
  EXPECT_EQ(comparison.symbols_ratio, 0.5);
  EXPECT_EQ(comparison.scored_bytes_per_second_ratio, 3);
  EXPECT_EQ(comparison.training_seconds_ratio, 2);
  EXPECT_EQ(comparison.parameters_ratio, 2);
  EXPECT_FALSE(comparison.flops_per_byte_ratio.has_value());
  EXPECT_FALSE(comparison.decoded_bytes_per_second_ratio.has_value());
}

TEST(CompareTest, UnlikeThingsAreRefusedNamingFieldAndBothValues) {
  const BpbReport baseline = NoisyReport(0, 0);
  const auto refused = [&baseline](const std::function<void(BpbReport&)>& change, const char* field,
                                   const char* value) {
    BpbReport candidate = baseline;
    change(candidate);
    EXPECT_THAT(CompareReports(baseline, candidate),
                StatusIs(absl::StatusCode::kFailedPrecondition, AllOf(HasSubstr(field), HasSubstr(value))));
  };
  refused([](BpbReport& r) { r.tokenizer_sha256 = std::string(64, '1'); }, "tokenizer_sha256 is \"bbbb", "\"1111");
  refused([](BpbReport& r) { r.split = "selection"; }, "split is \"validation\"", "\"selection\"");
  refused([](BpbReport& r) { r.held_out_sha256 = std::string(64, '2'); }, "held_out_sha256 is \"cccc", "\"2222");
  refused([](BpbReport& r) { r.rule.counts_boundary = false; }, "rule.counts_boundary", "\"0\"");
  refused([](BpbReport& r) { r.rule.conditions_on_boundary = false; }, "rule.conditions_on_boundary", "\"0\"");
  refused([](BpbReport& r) { r.rule.masking = "canonical"; }, "rule.masking is \"none\"", "\"canonical\"");
  refused(
      [](BpbReport& r) {
        r.result.document_bytes[3] += 1;
        r.result.document_bytes[4] -= 1;
      },
      "original bytes of document 3", "\"101\"");
}

TEST(CompareTest, AReportThatContradictsItselfIsRefused) {
  BpbReport broken = NoisyReport(0, 0);
  broken.result.nats += 1;
  EXPECT_THAT(CompareReports(NoisyReport(0, 0), broken), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(CompareTest, VerdictsHaveNames) {
  EXPECT_EQ(VerdictName(Verdict::kUndecided), "undecided");
  EXPECT_EQ(VerdictName(Verdict::kBetter), "better");
  EXPECT_EQ(VerdictName(Verdict::kWorse), "worse");
}

}  // namespace
}  // namespace clm
