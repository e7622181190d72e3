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

TEST(PairTableTest, EmptyTableFindsNothing) {
  const PairTable table({}, 5);
  EXPECT_EQ(table.Find(0, 0), kNoSymbol);
  EXPECT_FALSE(table.HasLeft(0));
}

}  // namespace
}  // namespace clm
