#include "core/generate/stop_matcher.h"

#include <random>

#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

TEST(StopMatcherTest, TheEarliestOccurrenceCounts) {
  const StopMatcher matcher({"end", "b"});
  EXPECT_EQ(matcher.Find("aaendb"), 2U);
  EXPECT_EQ(matcher.Find("abend"), 1U);
  EXPECT_EQ(matcher.Find("aaen"), std::nullopt);
  EXPECT_EQ(StopMatcher({}).Find("anything"), std::nullopt);
}

TEST(StopMatcherTest, AnEndThatMayStillBecomeAStopIsMeasured) {
  const StopMatcher matcher({"\n\nUser:", "aab"});
  EXPECT_EQ(matcher.PartialSuffix("text"), 0U);
  EXPECT_EQ(matcher.PartialSuffix("text\n"), 1U);
  EXPECT_EQ(matcher.PartialSuffix("text\n\nUse"), 5U);
  EXPECT_EQ(matcher.PartialSuffix("aaa"), 2U);
  EXPECT_EQ(matcher.PartialSuffix(""), 0U);
  EXPECT_EQ(StopMatcher({"x"}).PartialSuffix("x"), 0U);
  EXPECT_EQ(StopMatcher({}).PartialSuffix("x"), 0U);
}

TEST(StopMatcherTest, AgreesWithTryingEveryLength) {
  std::mt19937 rng(20260304);
  const auto random_text = [&rng](size_t longest) {
    std::string text(rng() % longest + 1, 'a');
    for (char& c : text) c = static_cast<char>('a' + rng() % 2);
    return text;
  };
  for (int round = 0; round < 2'000; ++round) {
    const std::vector<std::string> stops = {random_text(5), random_text(5)};
    const std::string text = random_text(8);
    size_t want = 0;
    for (const std::string& stop : stops) {
      for (size_t length = 1; length < stop.size() && length <= text.size(); ++length) {
        if (text.substr(text.size() - length) == stop.substr(0, length)) want = std::max(want, length);
      }
    }
    ASSERT_EQ(StopMatcher(stops).PartialSuffix(text), want) << "round " << round;
  }
}

}  // namespace
}  // namespace clm
