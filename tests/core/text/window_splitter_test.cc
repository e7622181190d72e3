#include "core/text/window_splitter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/text/piece_scanner.h"
#include "hwy/targets.h"
#include "tests/core/text/pattern_text.h"

namespace clm {
namespace {

using ::clm::testing::RandomPatternText;

constexpr SplitRules kAllRules[] = {
    {.family = PatternFamily::kGpt2},
    {.family = PatternFamily::kCl100k, .max_number_chars = 3},
    {.family = PatternFamily::kCl100k, .max_number_chars = 3, .last_space_is_whole = true},
    {.family = PatternFamily::kCl100k, .max_number_chars = 1},
    {.family = PatternFamily::kO200k, .max_number_chars = 3},
};

// Every end that windows and scanner give together is compared with the scanner's alone.
void ExpectEqualToScanner(const SplitRules& rules, const std::string& text, bool is_end) {
  const PieceScanner scanner(rules, text, is_end);
  std::vector<uint32_t> ends;
  for (size_t begin = 0; begin < text.size();) {
    const size_t first = ends.size();
    const WindowSplit window = SplitWindow(rules, text, begin, is_end, ends);
    for (size_t i = first; i < ends.size(); ++i) {
      const size_t want = PieceScanner(rules, text, /*is_end=*/true).Next(begin);
      ASSERT_EQ(ends[i], want) << "piece at " << begin << " of: " << text.substr(begin > 40 ? begin - 40 : 0, 100);
      begin = want;
    }
    ASSERT_EQ(begin, window.end);
    while (begin < window.scan_until) {
      const size_t end = scanner.Next(begin);
      if (end == 0) return;
      begin = end;
    }
  }
}

TEST(SplitWindowTest, GivesThePiecesOfTheScannerWithEveryInstructionSet) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    for (const SplitRules& rules : kAllRules) {
      for (uint64_t round = 0; round < 400; ++round) {
        const bool valid = round % 2 == 0;
        ExpectEqualToScanner(rules, RandomPatternText(round, 200, valid), round % 3 != 0);
        if (HasFatalFailure()) FAIL() << hwy::TargetName(target) << " round " << round;
      }
      ExpectEqualToScanner(rules, RandomPatternText(1, 30'000, true), true);
    }
  }
  hwy::SetSupportedTargetsForTest(0);
}

TEST(SplitWindowTest, HandsPiecesLongerThanAWindowToTheScanner) {
  const std::string text = std::string(kSplitWindowBytes + 100, 'a') + " b";
  std::vector<uint32_t> ends;
  const WindowSplit window = SplitWindow(kAllRules[0], text, 0, /*is_end=*/true, ends);
  EXPECT_EQ(window.end, 0);
  EXPECT_EQ(window.scan_until, 1);
  EXPECT_TRUE(ends.empty());
}

}  // namespace
}  // namespace clm
