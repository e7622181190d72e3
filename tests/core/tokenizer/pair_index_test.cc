#include "core/tokenizer/pair_index.h"

#include <gtest/gtest.h>

#include <map>

#include "core/base/rng.h"

namespace clm {
namespace {

TEST(PairIndexTest, AgreesWithMap) {
  CounterRng rng(1, "pair_index_test", 0);
  PairIndex index;
  std::map<TokenPairKey, uint64_t> want;
  for (int i = 0; i < 20'000; ++i) {
    const TokenPairKey key =
        KeyOfPair(static_cast<SymbolId>(rng.NextBelow(200)), static_cast<SymbolId>(rng.NextBelow(200)));
    index.FindOrAdd(key).count += static_cast<uint64_t>(i);
    want[key] += static_cast<uint64_t>(i);
  }
  EXPECT_EQ(index.size(), want.size());
  std::map<TokenPairKey, uint64_t> got;
  index.ForEach([&](TokenPairKey key, const PairIndex::Pair& pair) { got[key] = pair.count; });
  EXPECT_EQ(got, want);
  for (const auto& [key, count] : want) ASSERT_EQ(index.Find(key)->count, count);
  EXPECT_EQ(index.Find(KeyOfPair(200, 0)), nullptr);
  index.Clear();
  EXPECT_EQ(index.size(), 0);
  EXPECT_EQ(index.Find(want.begin()->first), nullptr);
}

TEST(PairIndexTest, KeysAreOrderedByLeftThenRight) {
  EXPECT_LT(KeyOfPair(1, 9), KeyOfPair(2, 0));
  EXPECT_LT(KeyOfPair(2, 0), KeyOfPair(2, 1));
  EXPECT_EQ(LeftOf(KeyOfPair(3, 4)), 3);
  EXPECT_EQ(RightOf(KeyOfPair(3, 4)), 4);
}

}  // namespace
}  // namespace clm
