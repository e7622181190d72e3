#include "server/job/worker_event_reader.h"

#include <algorithm>
#include <random>
#include <string>

#include "core/base/byte_writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

v1::WorkerEvent Line(const std::string& text) {
  v1::WorkerEvent event;
  event.set_log_line(text);
  return event;
}

TEST(WorkerEventReaderTest, CutsDoNotMatter) {
  std::string stream;
  for (int i = 0; i < 50; ++i) stream += FrameWorkerEvent(Line(std::string(static_cast<size_t>(i) * 7, 'x')));
  std::mt19937 random(20260301);
  for (int round = 0; round < 20; ++round) {
    WorkerEventReader reader;
    size_t count = 0;
    for (size_t position = 0; position < stream.size();) {
      const size_t piece = std::min<size_t>(random() % 40, stream.size() - position);
      ASSERT_OK_AND_ASSIGN(const auto events, reader.Feed(absl::string_view(stream).substr(position, piece)));
      for (const v1::WorkerEvent& event : events) {
        EXPECT_EQ(event.log_line().size(), count * 7) << "round " << round;
        ++count;
      }
      position += piece;
    }
    EXPECT_EQ(count, 50u);
    EXPECT_TRUE(reader.AtBoundary());
  }
}

TEST(WorkerEventReaderTest, UnfinishedMessageIsSeen) {
  WorkerEventReader reader;
  std::string stream = FrameWorkerEvent(Line("hello"));
  stream.pop_back();
  ASSERT_OK_AND_ASSIGN(const auto events, reader.Feed(stream));
  EXPECT_TRUE(events.empty());
  EXPECT_FALSE(reader.AtBoundary());
}

TEST(WorkerEventReaderTest, LengthAboveTheLimitIsRefusedAndStaysRefused) {
  WorkerEventReader reader;
  ByteWriter out;
  out.WriteU32(static_cast<uint32_t>(WorkerEventReader::kMaxEventBytes + 1));
  EXPECT_THAT(reader.Feed(out.view()), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("16777217")));
  EXPECT_THAT(reader.Feed(FrameWorkerEvent(Line("x"))), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(WorkerEventReaderTest, BytesThatAreNoEventAreRefused) {
  WorkerEventReader reader;
  ByteWriter out;
  out.WriteU32(3);
  out.WriteBytes("\xff\xff\xff");
  EXPECT_THAT(reader.Feed(out.view()), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("3 bytes")));
}

}  // namespace
}  // namespace clm
