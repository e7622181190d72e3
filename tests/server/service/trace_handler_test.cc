#include "server/service/trace_handler.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/service/chunks.h"
#include "tests/server/service/fake_operations.h"
#include "tests/server/service/message_streams.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::FakeOperations;
using ::clm::testing::FakeReader;
using ::clm::testing::FakeWriter;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

v1::TraceRequest::Start ReportStart() {
  v1::TraceRequest::Start start;
  start.mutable_report();
  return start;
}

std::deque<v1::TraceRequest> Messages(const v1::TraceRequest::Start& start, const std::vector<std::string>& data) {
  std::deque<v1::TraceRequest> messages(1);
  *messages[0].mutable_start() = start;
  for (const std::string& piece : data) messages.emplace_back().set_data(piece);
  return messages;
}

TEST(TraceStartTest, RangesAreThoseOfTheContract) {
  v1::TraceRequest::Start start = ReportStart();
  start.set_top_n(2147483648);
  start.mutable_report()->set_title(std::string(256, 't'));
  start.mutable_report()->set_format(v1::TRACE_FORMAT_STATISTICS);
  EXPECT_OK(CheckTraceStart(start));
  start.mutable_stage()->set_name("rangeEncode");
  start.mutable_stage()->set_precision_bits(8);
  start.mutable_stage()->set_comment(std::string(kMaxTracePromptBytes, 'c'));
  EXPECT_OK(CheckTraceStart(start));
  start.mutable_correct()->set_kind(v1::CORRECTION_KIND_PAYLOAD);
  start.mutable_correct()->set_max_symbols(kMaxCorrectedSymbols);
  start.mutable_correct()->set_prompt(std::string(kMaxTracePromptBytes, 'p'));
  EXPECT_OK(CheckTraceStart(start));
  start.mutable_payload();
  EXPECT_OK(CheckTraceStart(start));
}

TEST(TraceStartTest, ValuesBeyondTheRangesAreNamed) {
  const auto refused = [](void (*change)(v1::TraceRequest::Start&), const char* field) {
    v1::TraceRequest::Start start;
    change(start);
    EXPECT_THAT(CheckTraceStart(start), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(field)));
  };
  using Start = v1::TraceRequest::Start;
  refused([](Start&) {}, "start.task");
  refused([](Start& s) { s.set_top_n(2147483649); }, "start.top_n");
  refused([](Start& s) { s.mutable_report()->set_format(static_cast<v1::TraceFormat>(99)); }, "start.report.format");
  refused([](Start& s) { s.mutable_report()->set_title(std::string(257, 't')); }, "start.report.title");
  refused([](Start& s) { s.mutable_stage(); }, "start.stage.name");
  refused(
      [](Start& s) {
        s.mutable_stage()->set_name("rangeEncode");
        s.mutable_stage()->set_precision_bits(33);
      },
      "start.stage.precision_bits");
  refused(
      [](Start& s) {
        s.mutable_stage()->set_name("tokensOfData");
        s.mutable_stage()->set_comment(std::string(kMaxTracePromptBytes + 1, 'c'));
      },
      "start.stage.comment");
  refused([](Start& s) { s.mutable_correct(); }, "start.correct.kind");
  refused(
      [](Start& s) {
        s.mutable_correct()->set_kind(v1::CORRECTION_KIND_ZEROS);
        s.mutable_correct()->set_max_symbols(kMaxCorrectedSymbols + 1);
      },
      "start.correct.max_symbols");
  refused(
      [](Start& s) {
        s.mutable_correct()->set_kind(v1::CORRECTION_KIND_ZEROS);
        s.mutable_correct()->set_prompt(std::string(kMaxTracePromptBytes + 1, 'p'));
      },
      "start.correct.prompt");
  refused([](Start& s) { s.mutable_payload()->set_prompt(std::string(kMaxTracePromptBytes + 1, 'p')); },
          "start.payload.prompt");
}

TEST(TraceHandlerTest, HeaderRowsDataAndSummaryComeInOrder) {
  FakeOperations operations;
  Metrics metrics;
  const Call call("m", "id");
  FakeReader<v1::TraceRequest> reader(Messages(ReportStart(), {"ab", "c"}));
  FakeWriter<v1::TraceResponse> writer;
  ASSERT_OK(HandleTrace(operations, metrics, call, reader, writer));
  ASSERT_EQ(writer.messages.size(), 4u);
  EXPECT_EQ(writer.messages[0].header().representation(), "byte");
  EXPECT_EQ(writer.messages[1].rows_size(), 1);
  EXPECT_EQ(writer.messages[2].data(), "cba");
  EXPECT_EQ(writer.messages[3].summary().output_bytes(), 3u);
  EXPECT_EQ(writer.messages[3].summary().statistics().original_bytes(), 3u);
  EXPECT_TRUE(operations.last_trace.has_report());
}

TEST(TraceHandlerTest, LongOutputIsCut) {
  FakeOperations operations;
  Metrics metrics;
  const Call call("m", "id");
  FakeReader<v1::TraceRequest> reader(Messages(ReportStart(), {std::string(kMaxChunkOutBytes + 1, 'x')}));
  FakeWriter<v1::TraceResponse> writer;
  ASSERT_OK(HandleTrace(operations, metrics, call, reader, writer));
  ASSERT_EQ(writer.messages.size(), 5u);
  EXPECT_EQ(writer.messages[2].data().size(), kMaxChunkOutBytes);
  EXPECT_EQ(writer.messages[3].data().size(), 1u);
}

TEST(TraceHandlerTest, TooMuchInputIsRefused) {
  FakeOperations operations;
  Metrics metrics;
  const Call call("m", "id");
  FakeReader<v1::TraceRequest> reader(
      Messages(ReportStart(), std::vector<std::string>(33, std::string(kMaxChunkInBytes, 'x'))));
  FakeWriter<v1::TraceResponse> writer;
  EXPECT_THAT(HandleTrace(operations, metrics, call, reader, writer),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("at most 33554432 bytes")));
  EXPECT_TRUE(writer.messages.empty());
}

TEST(TraceHandlerTest, MessagesOutOfOrderAreRefused) {
  FakeOperations operations;
  Metrics metrics;
  const Call call("m", "id");
  FakeWriter<v1::TraceResponse> writer;
  std::deque<v1::TraceRequest> data_first(1);
  data_first[0].set_data("x");
  FakeReader<v1::TraceRequest> reader(data_first);
  EXPECT_THAT(HandleTrace(operations, metrics, call, reader, writer), StatusIs(absl::StatusCode::kInvalidArgument));
  std::deque<v1::TraceRequest> start_twice = Messages(ReportStart(), {});
  start_twice.push_back(start_twice[0]);
  FakeReader<v1::TraceRequest> second(start_twice);
  EXPECT_THAT(HandleTrace(operations, metrics, call, second, writer), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(TraceHandlerTest, AFailureSendsNoSummary) {
  FakeOperations operations;
  operations.failure = absl::DataLossError("damaged");
  Metrics metrics;
  const Call call("m", "id");
  FakeReader<v1::TraceRequest> reader(Messages(ReportStart(), {}));
  FakeWriter<v1::TraceResponse> writer;
  EXPECT_THAT(HandleTrace(operations, metrics, call, reader, writer), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_TRUE(writer.messages.empty());
}

}  // namespace
}  // namespace clm
