#include "server/job/worker_log.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/file_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kLimitBytes = 8192;

class WorkerLogTest : public ::testing::Test {
 protected:
  std::string Content() const { return ReadFile(PosixFileSystem(), path_, 1 << 20).value_or("?"); }

  testing::TemporaryDirectory directory_;
  const std::string path_ = directory_.File("log");
};

TEST_F(WorkerLogTest, LinesComeTogetherAcrossCuts) {
  WorkerLog log(PosixFileSystem(), path_, kLimitBytes);
  log.Append("one\ntw");
  EXPECT_THAT(log.Tail(), ElementsAre("one", "tw"));
  log.Append("o\n");
  EXPECT_THAT(log.Tail(), ElementsAre("one", "two"));
  EXPECT_EQ(Content(), "one\ntwo\n");
}

TEST_F(WorkerLogTest, TailHoldsTheLastTwentyLines) {
  WorkerLog log(PosixFileSystem(), path_, kLimitBytes);
  for (int i = 0; i < 50; ++i) log.Append(absl::StrCat("line ", i, "\n"));
  log.Append("unfinished");
  const std::vector<std::string> tail = log.Tail();
  ASSERT_EQ(tail.size(), WorkerLog::kTailLines);
  EXPECT_EQ(tail.front(), "line 31");
  EXPECT_EQ(tail.back(), "unfinished");
}

TEST_F(WorkerLogTest, FileStaysBelowItsLimitAndEndsWithTheLastBytes) {
  WorkerLog log(PosixFileSystem(), path_, kLimitBytes);
  for (int i = 0; i < 3000; ++i) log.Append(absl::StrCat("line ", i, "\n"));
  EXPECT_LE(Content().size(), kLimitBytes);
  EXPECT_THAT(Content(), ::testing::EndsWith("line 2999\n"));
  log.Append(std::string(3 * kLimitBytes, 'x'));
  EXPECT_EQ(Content(), std::string(kLimitBytes, 'x'));
}

TEST_F(WorkerLogTest, LongLineWithoutEndAndStrangeBytesAreTamed) {
  WorkerLog log(PosixFileSystem(), path_, kLimitBytes);
  log.Append(std::string("\xff\x01", 2));
  for (int i = 0; i < 1000; ++i) log.Append("0123456789");
  ASSERT_EQ(log.Tail().size(), 1u);
  EXPECT_EQ(log.Tail().front().size(), WorkerLog::kMaxTailLineBytes);
  EXPECT_THAT(log.Tail().front(), ::testing::StartsWith("??0123"));
}

TEST_F(WorkerLogTest, SecondAttemptContinuesTheFile) {
  WorkerLog(PosixFileSystem(), path_, kLimitBytes).Append("first\n");
  WorkerLog second(PosixFileSystem(), path_, kLimitBytes);
  second.Append("second\n");
  EXPECT_EQ(Content(), "first\nsecond\n");
  EXPECT_THAT(second.Tail(), ElementsAre("second"));
}

TEST_F(WorkerLogTest, FileThatCannotBeWrittenCostsOnlyTheFile) {
  WorkerLog log(PosixFileSystem(), directory_.File("missing/log"), kLimitBytes);
  log.Append("kept in memory\n");
  EXPECT_THAT(log.Tail(), ElementsAre("kept in memory"));
}

}  // namespace
}  // namespace clm
