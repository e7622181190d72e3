#include "server/worker/event_pipe.h"

#include <signal.h>
#include <unistd.h>

#include <string>

#include "core/base/byte_reader.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

v1::WorkerEvent LogLine(const std::string& text) {
  v1::WorkerEvent event;
  event.set_log_line(text);
  return event;
}

TEST(EventPipeTest, EventsAreFramedByTheirLength) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EventPipe events(ends[1]);
  events.Send(LogLine("first"));
  events.Send(LogLine("second"));
  close(ends[1]);
  std::string data(1000, '\0');
  const ssize_t length = read(ends[0], data.data(), data.size());
  close(ends[0]);
  ASSERT_GT(length, 0);
  ByteReader in(absl::string_view(data.data(), static_cast<size_t>(length)));
  for (const std::string expected : {"first", "second"}) {
    uint32_t size = 0;
    absl::string_view body;
    ASSERT_TRUE(in.ReadU32(size) && in.ReadBytes(size, body));
    v1::WorkerEvent event;
    ASSERT_TRUE(event.ParseFromArray(body.data(), static_cast<int>(body.size())));
    EXPECT_EQ(event.log_line(), expected);
  }
  EXPECT_TRUE(in.empty());
}

TEST(EventPipeTest, AParentThatIsGoneIsNoError) {
  signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  EventPipe events(ends[1]);
  events.Send(LogLine("nobody hears"));
  events.Send(LogLine("nobody hears"));
  close(ends[1]);
}

TEST(EventPipeTest, WithoutADescriptorNothingHappens) { EventPipe(-1).Send(LogLine("dropped")); }

}  // namespace
}  // namespace clm
