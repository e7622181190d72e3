#include "server/convert/trace_convert.h"

#include <string>
#include <vector>

#include "core/base/byte_writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class TraceConvertTest : public ::testing::Test {
 protected:
  absl::StatusOr<v1::TraceResponse::Summary> Run(const v1::TraceRequest::Start& start, const std::string& input) {
    TraceSinks sinks;
    rows_.clear();
    bytes_.clear();
    sinks.begin = [this](const v1::TraceResponse::Header& header) {
      header_ = header;
      return absl::OkStatus();
    };
    sinks.rows = [this](std::span<const v1::TraceRow> rows) {
      EXPECT_LE(rows.size(), 4096U);
      rows_.insert(rows_.end(), rows.begin(), rows.end());
      return absl::OkStatus();
    };
    sinks.bytes = [this](absl::string_view bytes) {
      bytes_.append(bytes.data(), bytes.size());
      return absl::OkStatus();
    };
    return RunTrace(model_, start, input, sinks, {});
  }

  // The output of one stage.
  std::string Stage(const std::string& name, const std::string& input) {
    v1::TraceRequest::Start start;
    start.mutable_stage()->set_name(name);
    EXPECT_OK(Run(start, input).status()) << name;
    return bytes_;
  }

  std::string Correct(v1::CorrectionKind kind, const std::string& data, uint64_t max_symbols) {
    v1::TraceRequest::Start start;
    start.mutable_correct()->set_kind(kind);
    start.mutable_correct()->set_prompt("It was ");
    start.mutable_correct()->set_max_symbols(max_symbols);
    const auto summary = Run(start, data);
    EXPECT_OK(summary.status());
    corrected_ = summary->corrected();
    return bytes_;
  }

  const TraceModel model_ = BuiltInTraceModel();
  v1::TraceResponse::Header header_;
  std::vector<v1::TraceRow> rows_;
  std::string bytes_;
  v1::TraceResponse::Corrected corrected_;
};

TEST_F(TraceConvertTest, RowsAndStatisticsAgree) {
  v1::TraceRequest::Start start;
  start.mutable_report();
  ASSERT_OK_AND_ASSIGN(const auto summary, Run(start, "abcabcabcabc"));
  EXPECT_EQ(header_.model(), "count");
  EXPECT_EQ(header_.vocab_size(), 257U);
  EXPECT_EQ(header_.fingerprint().size(), 64U);
  ASSERT_EQ(rows_.size(), 12U);
  EXPECT_EQ(rows_[0].token(), 97U);
  EXPECT_EQ(rows_[11].rank(), 0);
  double bits = 0;
  for (const v1::TraceRow& row : rows_) bits += row.bits();
  const v1::TraceResponse::Statistics& statistics = summary.statistics();
  EXPECT_DOUBLE_EQ(statistics.bits(), bits);
  EXPECT_EQ(statistics.symbols(), 12U);
  EXPECT_EQ(statistics.hits() + statistics.misses(), 12U);
  double percent = 0;
  for (const double share : statistics.histogram_percent()) percent += share;
  EXPECT_NEAR(percent, 100, 1e-9);
  EXPECT_EQ(statistics.rank_bin_bytes(), 20 + statistics.rank_bin_symbol_bytes() + statistics.rank_bin_count_bytes() +
                                             statistics.rank_bin_payload_bytes());
}

TEST_F(TraceConvertTest, EachFormatIsWhatItSays) {
  v1::TraceRequest::Start start;
  const auto report = [&](v1::TraceFormat format) {
    start.mutable_report()->set_format(format);
    start.mutable_report()->set_title("T");
    EXPECT_OK(Run(start, "abc").status());
    return bytes_;
  };
  EXPECT_THAT(report(v1::TRACE_FORMAT_JSON),
              StartsWith("{\"modelName\": \"count\", \"vocabSize\": 257, \"comment\": \"T\""));
  EXPECT_THAT(report(v1::TRACE_FORMAT_HISTOGRAM_SVG), HasSubstr("<svg "));
  EXPECT_THAT(report(v1::TRACE_FORMAT_HEAT_MAP_HTML), HasSubstr("<html "));
  EXPECT_EQ(report(v1::TRACE_FORMAT_STATISTICS), "");
  EXPECT_TRUE(rows_.empty());
}

TEST_F(TraceConvertTest, StagesLeadThereAndBack) {
  const std::string text = "one two one two \xFF one two";
  const std::string bin = Stage("binOfRange", Stage("rangeEncode", Stage("modelToInx", Stage("tokensOfStr", text))));
  EXPECT_EQ(Stage("tokensToStr", Stage("modelOfInx", Stage("rangeDecode", Stage("binToRange", bin)))), text);
}

TEST_F(TraceConvertTest, ABinIsSaidToBeUnverified) {
  const std::string bin = Stage("binOfRange", Stage("rangeEncode", "{\"tokenList\": [[1, -1, 0]]}"));
  v1::TraceRequest::Start start;
  start.mutable_stage()->set_name("binToRange");
  ASSERT_OK_AND_ASSIGN(const auto summary, Run(start, bin));
  ASSERT_EQ(summary.warnings_size(), 1);
  EXPECT_THAT(summary.warnings(0), HasSubstr("unverified"));
}

TEST_F(TraceConvertTest, CorrectionsOfEachKindGiveText) {
  const std::string zeros = Correct(v1::CORRECTION_KIND_ZEROS, "", 10);
  EXPECT_EQ(zeros.size(), 10U);
  EXPECT_EQ(corrected_.end(), v1::CORRECTION_END_MAX_SYMBOLS);
  EXPECT_EQ(Correct(v1::CORRECTION_KIND_NIBBLES, std::string(5, '\0'), 100), zeros);
  EXPECT_EQ(corrected_.end(), v1::CORRECTION_END_CORRECTIONS);
  EXPECT_EQ(corrected_.used_corrections(), 10U);
  ByteWriter ranks;
  ranks.WriteU32(static_cast<uint32_t>(-1));
  ranks.WriteU32('x');
  EXPECT_EQ(Correct(v1::CORRECTION_KIND_RANKS, ranks.Take(), 100), zeros.substr(0, 1) + "x");
}

TEST_F(TraceConvertTest, APayloadGivesItsText) {
  v1::TraceRequest::Start start;
  start.mutable_payload()->set_prompt("It was ");
  ASSERT_OK(Run(start, "the best of times").status());
  EXPECT_EQ(Correct(v1::CORRECTION_KIND_PAYLOAD, std::string(bytes_), 100), "the best of times");
}

TEST_F(TraceConvertTest, WrongDataAreRefused) {
  v1::TraceRequest::Start start;
  start.mutable_correct()->set_kind(v1::CORRECTION_KIND_RANKS);
  EXPECT_THAT(Run(start, "123"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("3 bytes")));
  start.mutable_correct()->set_kind(v1::CORRECTION_KIND_ZEROS);
  EXPECT_THAT(Run(start, "123"), StatusIs(absl::StatusCode::kInvalidArgument));
  start.mutable_stage()->set_name("binToWords");
  EXPECT_THAT(Run(start, ""), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("binToWords")));
  start.mutable_report();
  EXPECT_THAT(Run(start, std::string((1 << 18) + 1, 'x')), StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace clm
