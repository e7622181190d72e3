#include "core/coordinate/pair_table.h"

#include <map>

#include "core/base/rng.h"
#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"

namespace clm {
namespace {

using ::clm::testing::Pairs;

TEST(PairTableTest, AgreesWithAMapOnEveryPair) {
  for (uint64_t round = 0; round < 50; ++round) {
    CounterRng rng(7, "pair_table", round);
    const uint32_t vocab = 2 + static_cast<uint32_t>(rng.NextBelow(30));
    std::map<std::pair<SymbolId, SymbolId>, SymbolId> want;
    Pairs pairs;
    for (uint64_t i = 0; i < 1 + rng.NextBelow(200); ++i) {
      const SymbolPair pair = {static_cast<SymbolId>(rng.NextBelow(vocab)),
                               static_cast<SymbolId>(rng.NextBelow(vocab))};
      const auto id = vocab + static_cast<SymbolId>(pairs.size());
      if (want.try_emplace({pair.left, pair.right}, id).second) pairs.push_back(pair);
    }
    const PairTable table(pairs, vocab);
    EXPECT_EQ(table.size(), pairs.size());
    for (SymbolId left = 0; left < vocab; ++left) {
      bool is_left = false;
      for (SymbolId right = 0; right < vocab; ++right) {
        const auto found = want.find({left, right});
        is_left = is_left || found != want.end();
        ASSERT_EQ(table.Find(left, right), found == want.end() ? kNoSymbol : found->second) << "round " << round;
      }
      ASSERT_EQ(table.HasLeft(left), is_left) << "round " << round << " id " << left;
    }
  }
}

TEST(PairTableTest, LargestIdsAreFound) {
  const PairTable table(Pairs{{0x7FFFFFFE, 0x7FFFFFFD}, {0, 0x7FFFFFFD}}, 5);
  EXPECT_EQ(table.Find(0x7FFFFFFE, 0x7FFFFFFD), 5U);
  EXPECT_EQ(table.Find(0, 0x7FFFFFFD), 6U);
  EXPECT_EQ(table.Find(0x7FFFFFFD, 0x7FFFFFFE), kNoSymbol);
}

// Square, thin and hashed tables, and ids that a weak hash would send to few places.
TEST(PairTableTest, EveryKindHoldsItsPairsAndNothingElse) {
  for (const uint32_t stride : {1U, 64U, 4096U, 1U << 20}) {
    for (const uint32_t side : {3U, 20U, 150U}) {
      Pairs pairs;
      for (uint32_t left = 0; left < side; ++left) {
        for (uint32_t right = 0; right < side; right += 2) pairs.push_back({left * stride, right * stride});
      }
      const PairTable table(pairs, 1U << 30);
      ASSERT_EQ(table.first_id(), 1U << 30);
      for (size_t i = 0; i < pairs.size(); ++i) {
        ASSERT_EQ(table.Find(pairs[i].left, pairs[i].right), (1U << 30) + i) << "side " << side << " stride " << stride;
        ASSERT_EQ(table.Find(pairs[i].left, pairs[i].right + stride), kNoSymbol);
        if (!table.is_square()) {
          ASSERT_EQ(table.FindDirectly(pairs[i].left, pairs[i].right), (1U << 30) + i);
          ASSERT_EQ(table.FindDirectly(pairs[i].left, pairs[i].right + stride), kNoSymbol);
        }
      }
      ASSERT_EQ(table.Find(kIdMask, 0), kNoSymbol);
      ASSERT_EQ(table.Find(kPackedSeparator, kPackedSeparator), kNoSymbol);
    }
  }
}

TEST(PairTableTest, EmptyTableFindsNothing) {
  const PairTable table({}, 5);
  EXPECT_EQ(table.Find(0, 0), kNoSymbol);
  EXPECT_FALSE(table.HasLeft(0));
}

}  // namespace
}  // namespace clm
