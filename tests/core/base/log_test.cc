#include "core/base/log.h"

#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"

namespace clm {
namespace {

using ::testing::MatchesRegex;

class LogTest : public ::testing::Test {
 protected:
  LogTest() {
    SetLogSink([this](const std::string& line) { lines_.push_back(line); });
  }
  ~LogTest() override {
    SetLogSink(nullptr);
    SetLogLevel(LogLevel::kInfo);
  }

  nlohmann::json Last() const { return nlohmann::json::parse(lines_.back()); }

  std::vector<std::string> lines_;
};

TEST_F(LogTest, WritesTimeLevelMessageAndFieldsInThisOrder) {
  Log(LogLevel::kInfo, "job finished", {{"job", "j1"}, {"seconds", 12.5}, {"steps", 3}, {"ok", true}});
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_THAT(lines_[0],
              MatchesRegex("\\{\"time\":\"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z\","
                           "\"level\":\"info\",\"msg\":\"job finished\",\"job\":\"j1\",\"seconds\":12.5,"
                           "\"steps\":3,\"ok\":true\\}"));
}

TEST_F(LogTest, EveryByteBecomesOneLineOfValidJson) {
  std::string all;
  for (int b = 0; b < 256; ++b) all.push_back(static_cast<char>(b));
  Log(LogLevel::kError, "odd field", {{"text", all}});
  EXPECT_EQ(lines_.back().find('\n'), std::string::npos);
  EXPECT_THAT(Last()["text"].get<std::string>(), ::testing::HasSubstr("\xef\xbf\xbd"));  // U+FFFD
}

TEST_F(LogTest, CutsLongFields) {
  Log(LogLevel::kInfo, "long field", {{"text", std::string(5000, 'x')}});
  EXPECT_EQ(Last()["text"].get<std::string>().size(), 1024u);
}

TEST_F(LogTest, NumbersWithoutAValueAreNull) {
  Log(LogLevel::kInfo, "no number", {{"loss", std::numeric_limits<double>::quiet_NaN()}});
  EXPECT_TRUE(Last()["loss"].is_null());
}

TEST_F(LogTest, DropsLinesBelowTheLevel) {
  Log(LogLevel::kDebug, "quiet");
  EXPECT_TRUE(lines_.empty());
  SetLogLevel(LogLevel::kWarning);
  Log(LogLevel::kInfo, "quiet");
  Log(LogLevel::kWarning, "loud");
  EXPECT_EQ(lines_.size(), 1u);
}

TEST_F(LogTest, KnowsTheLevelsByName) {
  LogLevel level = LogLevel::kInfo;
  EXPECT_TRUE(ParseLogLevel("error", level));
  EXPECT_EQ(level, LogLevel::kError);
  EXPECT_TRUE(ParseLogLevel("debug", level));
  EXPECT_FALSE(ParseLogLevel("Debug", level));
  EXPECT_FALSE(ParseLogLevel("", level));
  EXPECT_EQ(level, LogLevel::kDebug);
}

TEST_F(LogTest, LinesOfThreadsAreNeverMixed) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 50; ++i) Log(LogLevel::kInfo, "tick", {{"number", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_EQ(lines_.size(), 200u);
  for (const std::string& line : lines_) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
}

TEST(LogStderrTest, WritesToStandardErrorWithoutASink) {
  ::testing::internal::CaptureStderr();
  Log(LogLevel::kInfo, "hello");
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, ::testing::EndsWith("\"msg\":\"hello\"}\n"));
}

}  // namespace
}  // namespace clm
