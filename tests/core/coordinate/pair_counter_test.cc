#include "core/coordinate/pair_counter.h"

#include <map>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr PackedSymbol kStart = kPretokenStart;

std::vector<PairCount> Count(const std::vector<SymbolShard>& shards, const PairCountOptions& options,
                             size_t threads = 1) {
  ThreadPool pool(threads);
  auto counts = CountPairs(shards, options, pool, {});
  CLM_CHECK(counts.ok());
  return *std::move(counts);
}

TEST(PairCounterTest, CountsAdjacentPairsOfADocument) {
  const SymbolShard shard = {1, 2, 1, 2, kPackedSeparator, 2, 1, kPackedSeparator};
  EXPECT_THAT(Count({shard}, {.vocab_size = 3}), ElementsAre(PairCount{{1, 2}, 2}, PairCount{{2, 1}, 2}));
}

TEST(PairCounterTest, SelfPairsOverlapOnlyInRawCounting) {
  // Runs of 4, 3 and 1: raw 3 + 2 + 0, as often as they can fold 2 + 1 + 0.
  const SymbolShard shard = {5, 5, 5, 5, kPackedSeparator, 5, 5, 5, 6, 5, kPackedSeparator};
  EXPECT_EQ(FindCount(Count({shard}, {.vocab_size = 7}), {5, 5}), 5U);
  EXPECT_EQ(FindCount(Count({shard}, {.vocab_size = 7, .overlap = PairOverlap::kExact}), {5, 5}), 3U);
}

TEST(PairCounterTest, RulesDecideWhichPairsCount) {
  // Pretokens: 1 2 | 3 | 1 | 2 4
  const SymbolShard shard = {1 | kStart, 2, 3 | kStart, 1 | kStart, 2 | kStart, 4, kPackedSeparator};
  EXPECT_THAT(Count({shard}, {.vocab_size = 5, .rule = JoinRule::kWithinPretoken}),
              ElementsAre(PairCount{{1, 2}, 1}, PairCount{{2, 4}, 1}));
  EXPECT_THAT(Count({shard}, {.vocab_size = 5, .rule = JoinRule::kWholePretokens}), ElementsAre(PairCount{{3, 1}, 1}));
  EXPECT_EQ(FindCount(Count({shard}, {.vocab_size = 5}), {1, 2}), 2U);
}

// The obvious twin: a map and the definition.
std::map<std::pair<SymbolId, SymbolId>, uint64_t> CountReference(const std::vector<SymbolShard>& shards) {
  std::map<std::pair<SymbolId, SymbolId>, uint64_t> counts;
  for (const SymbolShard& shard : shards) {
    for (size_t t = 0; t + 1 < shard.size(); ++t) {
      if (shard[t] != kPackedSeparator && shard[t + 1] != kPackedSeparator) ++counts[{shard[t], shard[t + 1]}];
    }
  }
  return counts;
}

// Small vocabularies take the dense way, large ones the sorted way; neither the ways nor the threads may differ.
TEST(PairCounterTest, AgreesWithTheReferenceAtEveryVocabularySizeAndThreadCount) {
  for (const uint32_t vocab : {1U, 2U, 50U, 1024U, 1025U, 3000U, 70'000U}) {
    CounterRng rng(5, "count", vocab);
    std::vector<SymbolShard> shards(5);
    for (SymbolShard& shard : shards) {
      for (int i = 0; i < 3000; ++i) {
        const bool ends = rng.NextBelow(50) == 0;
        shard.push_back(ends ? kPackedSeparator
                             : static_cast<SymbolId>(vocab - 1 - rng.NextBelow(std::min(vocab, 90U))));
      }
      shard.push_back(kPackedSeparator);
    }
    const auto want = CountReference(shards);
    for (const size_t threads : {1U, 2U, 7U}) {
      const auto got = Count(shards, {.vocab_size = vocab}, threads);
      ASSERT_EQ(got.size(), want.size()) << vocab;
      size_t i = 0;
      for (const auto& [pair, count] : want) {
        ASSERT_EQ(got[i++], (PairCount{{pair.first, pair.second}, count})) << "vocab " << vocab;
      }
    }
  }
}

TEST(PairCounterTest, NothingToCountIsNoError) {
  EXPECT_THAT(Count({}, {.vocab_size = 4}), IsEmpty());
  EXPECT_THAT(Count({{}, {kPackedSeparator}}, {.vocab_size = 4}), IsEmpty());
}

TEST(PairCounterTest, CountsSymbols) {
  ThreadPool pool(2);
  const std::vector<SymbolShard> shards = {{1 | kStart, 1, kPackedSeparator},
                                           {2, kPackedSeparator, 1, kPackedSeparator}};
  ASSERT_OK_AND_ASSIGN(const auto counts, CountSymbols(shards, 4, pool, {}));
  EXPECT_THAT(counts, ElementsAre(0, 3, 1, 0));
}

TEST(PairCounterTest, CancellationStopsIt) {
  ThreadPool pool(1);
  CancellationSource source;
  source.Cancel();
  const std::vector<SymbolShard> shards = {{1, 2, kPackedSeparator}};
  EXPECT_THAT(CountPairs(shards, {.vocab_size = 4}, pool, source.token()), StatusIs(absl::StatusCode::kCancelled));
}

TEST(PairCounterTest, FindCountKnowsWhatIsMissing) {
  const std::vector<PairCount> counts = {{{1, 2}, 4}, {{3, 0}, 1}};
  EXPECT_EQ(FindCount(counts, {1, 2}), 4U);
  EXPECT_EQ(FindCount(counts, {1, 3}), 0U);
  EXPECT_EQ(FindCount(counts, {9, 9}), 0U);
}

}  // namespace
}  // namespace clm
