#include "core/eval/bpb_report.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "tests/core/eval/some_report.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::ReportOf;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

BpbReport SomeReport() { return ReportOf({1.0 / 3, 0.1, 12.75}, {5, 0, (uint64_t{1} << 40) + 129}); }

TEST(BpbReportTest, JsonGoesBothWaysBitForBit) {
  const BpbReport report = SomeReport();
  ASSERT_OK_AND_ASSIGN(const std::string text, BpbReportToJson(report));
  ASSERT_OK_AND_ASSIGN(const BpbReport read, BpbReportFromJson(text));
  EXPECT_EQ(read.result.document_nats, report.result.document_nats);
  EXPECT_EQ(read.result.document_bytes, report.result.document_bytes);
  EXPECT_EQ(read.result.nats, report.result.nats);
  EXPECT_EQ(read.result.interval.low, report.result.interval.low);
  EXPECT_EQ(read.rule, report.rule);
  EXPECT_EQ(read.parameters, report.parameters);
  EXPECT_EQ(read.training, report.training);
  ASSERT_OK_AND_ASSIGN(const std::string again, BpbReportToJson(read));
  EXPECT_EQ(again, text);
}

TEST(BpbReportTest, FilesGoBothWays) {
  testing::TemporaryDirectory directory;
  ASSERT_OK(WriteBpbReport(PosixFileSystem(), directory.File("report.json"), SomeReport()));
  ASSERT_OK_AND_ASSIGN(const BpbReport read, ReadBpbReport(PosixFileSystem(), directory.File("report.json")));
  EXPECT_EQ(read.checkpoint, "checkpoint-1");
  EXPECT_THAT(ReadBpbReport(PosixFileSystem(), directory.File("none")), StatusIs(absl::StatusCode::kNotFound));
}

TEST(BpbReportTest, EveryMissingFieldIsNamed) {
  const nlohmann::json good = nlohmann::json::parse(*BpbReportToJson(SomeReport()));
  for (const char* group : {"", "/rule", "/parameters", "/training", "/result"}) {
    const nlohmann::json::json_pointer pointer{std::string(group)};
    for (const auto& [key, ignored] : good[pointer].items()) {
      nlohmann::json bad = good;
      bad[pointer].erase(key);
      EXPECT_THAT(BpbReportFromJson(bad.dump()), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(key)));
    }
  }
}

TEST(BpbReportTest, ContradictionsAndUnknownFieldsAreRefused) {
  const nlohmann::json good = nlohmann::json::parse(*BpbReportToJson(SomeReport()));
  const auto refused = [&good](const std::string& pointer, const nlohmann::json& value, const std::string& message) {
    nlohmann::json bad = good;
    bad[nlohmann::json::json_pointer(pointer)] = value;
    EXPECT_THAT(BpbReportFromJson(bad.dump()), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message)));
  };
  refused("/schema_version", 2, "schema version 2");
  refused("/extra", 1, "extra is unknown");
  refused("/result/extra", 1, "result.extra is unknown");
  refused("/result/nats", 99.0, "result.nats");
  refused("/result/bits_per_byte", 1.0, "bits_per_byte");
  refused("/result/original_bytes", 7, "its documents sum to");
  refused("/result/documents", 4, "document_nats");
  refused("/result/documents", UINT64_MAX, "document_nats");
  refused("/result/document_nats", "???", "not base64");
  refused("/result/document_original_bytes", "/////////////w==", "damaged integer");
  refused("/result/document_original_bytes", "BQA=", "2 numbers for 3");
  refused("/representation", "", "representation is empty");
  refused("/held_out_sha256", "abc", "held_out_sha256 is not a digest");
  refused("/tokenizer_sha256", std::string(64, 'G'), "tokenizer_sha256");
  refused("/rule/version", 2, "rule.version");
  refused("/rule/counts_boundary", "yes", "rule.counts_boundary");
}

TEST(BpbReportTest, ACostThatIsNoNumberIsRefusedWhenWriting) {
  BpbReport report = SomeReport();
  report.result.document_nats[1] = std::numeric_limits<double>::infinity();
  EXPECT_THAT(BpbReportToJson(report), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("document 1")));
}

}  // namespace
}  // namespace clm
