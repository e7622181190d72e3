#include "core/coordinate/fold_kernel.h"

#include <algorithm>

#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"

namespace clm {
namespace {

constexpr JoinRule kRules[] = {JoinRule::kAny, JoinRule::kWithinPretoken, JoinRule::kWholePretokens};

using Symbols = std::vector<PackedSymbol>;

// A layer over `vocab` symbols and a stream of them, with separators and flags.
struct Scene {
  std::vector<SymbolPair> pairs;
  Symbols symbols;
};

Scene MakeScene(uint64_t seed, uint32_t vocab, size_t pairs, size_t length) {
  CounterRng rng(seed, "fold_kernel", vocab);
  Scene scene;
  std::set<std::pair<SymbolId, SymbolId>> chosen;
  while (chosen.size() < pairs) {
    chosen.insert({static_cast<SymbolId>(rng.NextBelow(vocab)), static_cast<SymbolId>(rng.NextBelow(vocab))});
  }
  for (const auto& [left, right] : chosen) scene.pairs.push_back({left, right});
  for (size_t i = 0; i < length; ++i) {
    const auto id = static_cast<SymbolId>(rng.NextBelow(vocab));
    const uint64_t kind = rng.NextBelow(20);
    scene.symbols.push_back(kind == 0 ? kPackedSeparator : kind < 8 ? id | kPretokenStart : id);
  }
  return scene;
}

// The definition: left to right, one symbol at a time, over symbols and what follows them.
Symbols FoldSlowly(const PairTable& table, JoinRule rule, const Symbols& symbols, size_t count, bool first_is_taken) {
  Symbols folded;
  size_t t = first_is_taken ? 1 : 0;
  while (t < count) {
    const SymbolId id = table.Find(symbols[t] & kIdMask, symbols[t + 1] & kIdMask);
    if (id != kNoSymbol && IsFoldable(table, rule, symbols[t], symbols[t + 1], symbols[t + 2])) {
      folded.push_back(id | (symbols[t] & kPretokenStart));
      t += 2;
    } else {
      folded.push_back(symbols[t++]);
    }
  }
  return folded;
}

// Square, thin and hashed tables; pieces shorter and longer than a block.
TEST(FoldKernelTest, AgreesWithTheDefinitionForEveryKindOfTable) {
  for (const auto& [vocab, pairs] : {std::pair{4U, 5U}, {40U, 900U}, {3000U, 400U}, {3000U, 4000U}}) {
    for (const size_t length : {0U, 1U, 5U, 1023U, 1024U, 1025U, 5000U}) {
      for (const JoinRule rule : kRules) {
        for (const bool taken : {false, true}) {
          Scene scene = MakeScene(length, vocab, pairs, length + kFoldLookahead);
          const PairTable table(scene.pairs, vocab);
          const Symbols want = FoldSlowly(table, rule, scene.symbols, length, taken && length > 0);
          std::vector<FoldMatch> room;
          const auto matches = FindFolds(table, rule, scene.symbols, taken && length > 0, room);
          scene.symbols.resize(ApplyFolds(matches, taken && length > 0, length, scene.symbols));
          ASSERT_EQ(scene.symbols, want) << vocab << " ids, " << pairs << " pairs, length " << length;
        }
      }
    }
  }
}

TEST(FoldKernelTest, InPlaceFoldsTheSameAndCountsUses) {
  for (const auto& [vocab, pairs] : {std::pair{4U, 5U}, {40U, 900U}, {3000U, 400U}, {3000U, 4000U}}) {
    for (const JoinRule rule : kRules) {
      const Scene scene = MakeScene(7, vocab, pairs, 4000);
      const PairTable table(scene.pairs, vocab);
      Symbols padded = scene.symbols;
      padded.insert(padded.end(), kFoldLookahead, kPackedSeparator);
      const Symbols want = FoldSlowly(table, rule, padded, scene.symbols.size(), false);
      for (const size_t stride : {1U, 7U, 100'000U}) {
        Symbols symbols = scene.symbols;
        std::vector<uint64_t> uses(pairs);
        FoldCursor cursor;
        const FoldPass pass = {.table = &table, .rule = rule, .final = true, .uses = uses.data()};
        while (cursor.read < symbols.size()) {
          FoldLayerInPlace(pass, symbols, std::min(symbols.size(), cursor.read + stride), cursor);
        }
        symbols.resize(cursor.write);
        ASSERT_EQ(symbols, want) << vocab << " ids, stride " << stride;
        std::vector<uint64_t> want_uses(pairs);
        for (const PackedSymbol symbol : want) {
          if (symbol != kPackedSeparator && (symbol & kIdMask) >= vocab) ++want_uses[(symbol & kIdMask) - vocab];
        }
        ASSERT_EQ(uses, want_uses);
      }
    }
  }
}

TEST(FoldKernelTest, WithoutTheEndOneOrTwoSymbolsWait) {
  const std::vector<SymbolPair> pairs = {{1, 2}};
  const PairTable table(pairs, 10);
  Symbols symbols = {1, 2, 3, 1};
  FoldCursor cursor;
  FoldLayerInPlace({.table = &table, .final = false}, symbols, symbols.size(), cursor);
  EXPECT_EQ(cursor.write, 2U);
  EXPECT_EQ(cursor.read, 3U) << "the last symbol may fold with what follows";
  Symbols whole = {1 | kPretokenStart, 2 | kPretokenStart};
  cursor = {};
  const FoldPass pass = {.table = &table, .rule = JoinRule::kWholePretokens, .final = false};
  FoldLayerInPlace(pass, whole, whole.size(), cursor);
  EXPECT_EQ(cursor.read, 0U) << "the rule asks for what follows the second";
}

TEST(FoldKernelTest, ATakenSymbolIsDropped) {
  const std::vector<SymbolPair> pairs = {{5, 5}};
  const PairTable table(pairs, 10);
  Symbols symbols = {5, 5, 5, 6, 6, 6};
  std::vector<FoldMatch> room;
  const auto matches = FindFolds(table, JoinRule::kAny, symbols, /*first_is_taken=*/true, room);
  ASSERT_EQ(matches.size(), 1U);
  EXPECT_EQ(matches[0].position, 1U);
  symbols.resize(ApplyFolds(matches, true, 4, symbols));
  EXPECT_EQ(symbols, (Symbols{10, 6}));
}

}  // namespace
}  // namespace clm
