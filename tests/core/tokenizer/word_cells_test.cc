#include "core/tokenizer/word_cells.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "tests/core/tokenizer/random_vocab.h"

namespace clm {
namespace {

using ::clm::testing::RandomLetters;

using Words = std::vector<std::pair<std::vector<SymbolId>, uint64_t>>;

Words WordsOf(const WordCells& cells) {
  Words words;
  cells.VisitWords([&](std::span<const SymbolId> tokens, uint64_t count) {
    words.emplace_back(std::vector<SymbolId>(tokens.begin(), tokens.end()), count);
  });
  return words;
}

TEST(WordCellsTest, JoinsAreSeenFromBothSides) {
  WordCells cells(256);
  cells.Add("abcd", 7);
  const SymbolId bc = cells.NewToken('b', 'c');
  cells.Join(2, 3, 4, bc);  // the header is at 0
  EXPECT_EQ(cells.TokenAt(1), SymbolId{'a'});
  EXPECT_EQ(cells.TokenAt(2), bc);
  EXPECT_EQ(cells.TokenAt(3), WordCells::kNone);
  EXPECT_EQ(cells.Behind(2, bc), 4);
  EXPECT_EQ(cells.TokenBefore(4), bc);
  EXPECT_EQ(cells.Before(4, bc), 2);
  EXPECT_EQ(cells.TokenBefore(1), WordCells::kNone);
  EXPECT_EQ(cells.CountAt(4), 7);
  const SymbolId abc = cells.NewToken('a', bc);
  cells.Join(1, 2, 4, abc);
  EXPECT_EQ(cells.TokenBefore(4), abc);
  EXPECT_EQ(cells.TokenAt(2), WordCells::kNone);
  EXPECT_EQ(cells.TokenAt(cells.Behind(4, 'd')), WordCells::kNone);
  cells.Compact();
  EXPECT_EQ(WordsOf(cells), (Words{{{abc, 'd'}, 7}}));
}

TEST(WordCellsTest, CompactDropsWordsOfOneToken) {
  WordCells cells(256);
  cells.Add("ab", 1);
  cells.Add("x", 2);
  cells.AddTokens(std::vector<SymbolId>{'c', 'd', 'e'}, uint64_t{1} << 40);
  cells.Join(1, 2, 3, cells.NewToken('a', 'b'));
  cells.Compact();
  EXPECT_EQ(WordsOf(cells), (Words{{{'c', 'd', 'e'}, uint64_t{1} << 40}}));
  EXPECT_EQ(cells.cells(), 4);
}

// Long words, large counts: what does not stand in the cells themselves.
TEST(WordCellsTest, FindsCountsOfLongWords) {
  WordCells cells(256);
  std::vector<std::pair<size_t, uint64_t>> words;  // first place and count
  for (const size_t bytes : {3U, 2046U, 2047U, 2048U, 5000U, 2U, 3000U, 1U}) {
    const uint64_t count = bytes % 2 == 0 ? bytes : bytes << 32;
    words.emplace_back(cells.cells() + 1, count);
    cells.Add(std::string(bytes, 'a'), count);
  }
  for (size_t w = 0; w < words.size(); ++w) {
    const size_t end = w + 1 < words.size() ? words[w + 1].first - 1 : cells.cells();
    for (size_t place = words[w].first; place < end; ++place) {
      ASSERT_EQ(cells.CountAt(static_cast<uint32_t>(place)), words[w].second) << "word " << w << " place " << place;
    }
  }
}

TEST(WordCellsTest, PartsVisitEveryPairOnce) {
  CounterRng rng(1, "word_cells_test", 0);
  WordCells cells(256);
  for (int i = 0; i < 200; ++i) cells.Add(RandomLetters(rng, 1 + rng.NextBelow(9), 4), 1 + rng.NextBelow(5));
  const auto pairs = [&](const std::vector<size_t>& cuts) {
    std::vector<std::vector<uint64_t>> seen;
    for (size_t part = 0; part + 1 < cuts.size(); ++part) {
      cells.VisitPairs(cuts[part], cuts[part + 1], [&](SymbolId left, SymbolId right, uint32_t place, uint64_t count) {
        seen.push_back({left, right, place, count});
      });
    }
    return seen;
  };
  const auto want = pairs({0, cells.cells()});
  for (const size_t parts : {1U, 2U, 3U, 7U, 1000U}) {
    const std::vector<size_t> cuts = cells.Cuts(parts);
    EXPECT_LE(cuts.size(), parts + 1);
    EXPECT_EQ(pairs(cuts), want) << parts << " parts";
  }
  EXPECT_EQ(WordCells(256).Cuts(4), std::vector<size_t>{0});
}

}  // namespace
}  // namespace clm
