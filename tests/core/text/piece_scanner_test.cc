#include "core/text/piece_scanner.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "core/text/pretokenizer.h"
#include "tests/core/text/pattern_text.h"

namespace clm {
namespace {

using ::clm::testing::RandomPatternText;
using ::clm::testing::RegexSplitter;

TEST(PieceScannerTest, CutsAsTheRegularExpressionsDo) {
  for (const absl::string_view pattern : {kGpt2Pattern, kCl100kPattern, kQwen2Pattern, kO200kPattern}) {
    const RegexSplitter regex(pattern);
    for (uint64_t round = 0; round < 3'000; ++round) {
      const std::string text = RandomPatternText(round, 24, true);
      const PieceScanner scanner(*KnownSplitRules(pattern), text, /*is_end=*/true);
      std::vector<uint32_t> ends;
      for (size_t begin = 0; begin < text.size(); begin = ends.back()) {
        ends.push_back(static_cast<uint32_t>(scanner.Next(begin)));
        ASSERT_GT(ends.back(), begin);
      }
      ASSERT_EQ(ends, regex.Ends(text)) << pattern << " round " << round << ": " << text;
    }
  }
}

TEST(PieceScannerTest, APieceIsTheSameWhateverFollowsOnceItIsTold) {
  const SplitRules rules = *KnownSplitRules(kO200kPattern);
  for (uint64_t round = 0; round < 3'000; ++round) {
    const std::string text = RandomPatternText(round, 40, false);
    if (text.empty()) continue;
    const size_t whole = PieceScanner(rules, text, /*is_end=*/true).Next(0);
    for (size_t size = 1; size <= text.size(); ++size) {
      const size_t told = PieceScanner(rules, absl::string_view(text).substr(0, size), /*is_end=*/false).Next(0);
      if (told == 0) continue;
      ASSERT_EQ(told, whole) << "round " << round << " size " << size << ": " << text;
    }
  }
}

}  // namespace
}  // namespace clm
