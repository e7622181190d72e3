#include "core/tokenizer/piece_counter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "tests/core/tokenizer/random_vocab.h"

namespace clm {
namespace {

using ::clm::testing::RandomLetters;
using Counts = std::map<std::string, uint64_t>;

Counts CountsOf(const PieceCounter& counter) {
  Counts counts;
  counter.ForEach([&](absl::string_view piece, uint64_t count) { counts[std::string(piece)] += count; });
  return counts;
}

// Pieces of all lengths around those that fit a slot, zeros included, at all distances from the end of the text.
TEST(PieceCounterTest, AgreesWithMap) {
  CounterRng rng(1, "piece_counter_test", 0);
  PieceCounter counter;
  Counts want;
  for (int round = 0; round < 300; ++round) {
    std::string text;
    std::vector<uint32_t> ends;
    for (uint64_t pieces = 1 + rng.NextBelow(80); pieces > 0; --pieces) {
      std::string piece = RandomLetters(rng, 1 + rng.NextBelow(rng.NextBelow(4) == 0 ? 40 : 5), 2);
      if (rng.NextBelow(3) == 0) std::replace(piece.begin(), piece.end(), 'a', '\0');
      ++want[piece];
      text += piece;
      ends.push_back(static_cast<uint32_t>(text.size()));
    }
    text.shrink_to_fit();
    ASSERT_EQ(counter.AddPieces(text, 0, ends), ends.size());
  }
  EXPECT_EQ(CountsOf(counter), want);
  EXPECT_EQ(counter.size(), want.size());
  uint64_t bytes = 0;
  for (const auto& [piece, count] : want) bytes += piece.size();
  EXPECT_EQ(counter.distinct_bytes(), bytes);

  std::vector<std::pair<std::string, uint64_t>> drained;
  counter.Drain([&](absl::string_view piece, uint64_t count) { drained.emplace_back(piece, count); });
  EXPECT_EQ(drained, (std::vector<std::pair<std::string, uint64_t>>(want.begin(), want.end())));
  EXPECT_EQ(counter.size(), 0);
  EXPECT_TRUE(CountsOf(counter).empty());
}

// Long pieces that begin alike are told apart even where they meet in the table.
TEST(PieceCounterTest, LongPiecesOfOneBeginning) {
  for (int round = 0; round < 20; ++round) {
    PieceCounter counter;
    Counts want;
    for (int i = 0; i < 700; ++i) {
      const std::string piece = "the same beginning " + std::to_string(round) + "." + std::to_string(i);
      const std::vector<uint32_t> ends = {static_cast<uint32_t>(piece.size())};
      ASSERT_EQ(counter.AddPieces(piece, 0, ends), 1);
      ++want[piece];
    }
    ASSERT_EQ(CountsOf(counter), want) << "round " << round;
  }
}

TEST(PieceCounterTest, StopsAtItsLimit) {
  const size_t limit = 200'000;
  PieceCounter counter(limit);
  uint64_t added = 0;
  while (counter.Add("piece of text " + std::to_string(added), 2)) ++added;
  EXPECT_LE(counter.memory_bytes(), limit);
  EXPECT_GT(counter.memory_bytes(), limit / 4);
  EXPECT_EQ(counter.size(), added);
  EXPECT_TRUE(counter.Add("piece of text 0", 2));  // a known piece needs no room
  counter.Drain([](absl::string_view /*piece*/, uint64_t /*count*/) {});
  EXPECT_TRUE(counter.Add(std::string(300'000, 'x'), 1)) << "one piece has always room";
  EXPECT_FALSE(counter.Add("another long piece of text", 1));
  const std::string text = "known pieces known";
  PieceCounter full(1);
  EXPECT_EQ(full.AddPieces(text, 0, std::vector<uint32_t>{5, 18}), 1) << "the second one does not fit";
}

TEST(PieceCounterTest, CountsAboveThirtyTwoBits) {
  PieceCounter counter;
  ASSERT_TRUE(counter.Add("a", uint64_t{1} << 40));
  ASSERT_TRUE(counter.Add("a", uint64_t{1} << 40));
  EXPECT_EQ(CountsOf(counter), (Counts{{"a", uint64_t{1} << 41}}));
}

}  // namespace
}  // namespace clm
