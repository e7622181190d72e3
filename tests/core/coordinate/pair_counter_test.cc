#include "core/coordinate/pair_counter.h"

#include <map>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::MakeStream;
using ::clm::testing::StatusIs;
using ::clm::testing::Symbols;
using ::clm::testing::TemporaryDirectory;

constexpr PackedSymbol kStart = kPretokenStart;
constexpr PackedSymbol kEnd = kPackedSeparator;

using Counts = std::map<std::pair<SymbolId, SymbolId>, uint64_t>;

// Everything that the counter holds.
Counts All(const PairCounter& counter, size_t threads = 1) {
  ThreadPool pool(threads);
  absl::Mutex mu;
  Counts counts;
  CLM_CHECK(counter
                .Visit(pool, {},
                       [&](size_t, std::span<const PairCount> slots) {
                         const absl::MutexLock lock(&mu);
                         for (const PairCount& entry : slots) {
                           if (entry.count == 0) continue;
                           const SymbolPair pair = entry.pair();
                           CLM_CHECK(counts.try_emplace({pair.left, pair.right}, entry.count).second);
                         }
                         return absl::OkStatus();
                       })
                .ok());
  return counts;
}

Counts Count(const SymbolStream& stream, const PairCountOptions& options, size_t threads = 1) {
  ThreadPool pool(threads);
  PairCounter counter({.expected_symbols = stream.symbol_count()});
  CLM_CHECK(counter.Count(stream, options, pool, {}).ok());
  return All(counter, threads);
}

TEST(PairCounterTest, CountsAdjacentPairsOfADocument) {
  EXPECT_EQ(Count(MakeStream({1, 2, 1, 2, kEnd, 2, 1, kEnd}), {.vocab_size = 3}), (Counts{{{1, 2}, 2}, {{2, 1}, 2}}));
}

TEST(PairCounterTest, SelfPairsOverlapOnlyInRawCounting) {
  // Runs of 4, 3 and 1: raw 3 + 2 + 0, as often as they can fold 2 + 1 + 0. Cut everywhere.
  const Symbols symbols = {5, 5, 5, 5, kEnd, 5, 5, 5, 6, 5, kEnd};
  for (size_t chunk = 1; chunk <= symbols.size(); ++chunk) {
    const SymbolStream stream = MakeStream(symbols, chunk);
    EXPECT_EQ((Count(stream, {.vocab_size = 7})[{5, 5}]), 5U);
    EXPECT_EQ((Count(stream, {.vocab_size = 7, .overlap = PairOverlap::kExact})[{5, 5}]), 3U) << "chunks of " << chunk;
  }
}

TEST(PairCounterTest, RulesDecideWhichPairsCount) {
  // Pretokens: 1 2 | 3 | 1 | 2 4
  const Symbols symbols = {1 | kStart, 2, 3 | kStart, 1 | kStart, 2 | kStart, 4, kEnd};
  for (const size_t chunk : {1U, 2U, 3U, 100U}) {
    const SymbolStream stream = MakeStream(symbols, chunk);
    EXPECT_EQ(Count(stream, {.vocab_size = 5, .rule = JoinRule::kWithinPretoken}), (Counts{{{1, 2}, 1}, {{2, 4}, 1}}));
    EXPECT_EQ(Count(stream, {.vocab_size = 5, .rule = JoinRule::kWholePretokens}), (Counts{{{3, 1}, 1}}));
    EXPECT_EQ((Count(stream, {.vocab_size = 5})[{1, 2}]), 2U);
  }
}

TEST(PairCounterTest, WeightsCountDocumentsSeveralTimes) {
  SymbolStream stream({.chunk_symbols = 4});
  ASSERT_OK(stream.AppendWeighted(Symbols{1, 2, 3}, 5));
  ASSERT_OK(stream.AppendWeighted(Symbols{1, 2}, 100));
  ASSERT_OK(stream.AppendWeighted(Symbols{2}, 7));
  ASSERT_OK(stream.AppendWeighted(Symbols{2, 2, 2, 2, 2, 2}, 1));
  ASSERT_OK(stream.Seal());
  EXPECT_EQ(Count(stream, {.vocab_size = 4}), (Counts{{{1, 2}, 105}, {{2, 3}, 5}, {{2, 2}, 5}}));
  EXPECT_EQ(Count(stream, {.vocab_size = 4000}), (Counts{{{1, 2}, 105}, {{2, 3}, 5}, {{2, 2}, 5}}));
  ThreadPool pool(2);
  ASSERT_OK_AND_ASSIGN(const auto symbols, CountSymbols(stream, 4, pool, {}));
  EXPECT_EQ(symbols, (std::vector<uint64_t>{0, 105, 118, 5}));
}

// The obvious twin: a map and the definition.
Counts CountReference(const Symbols& symbols) {
  Counts counts;
  for (size_t t = 0; t + 1 < symbols.size(); ++t) {
    if (symbols[t] != kEnd && symbols[t + 1] != kEnd) ++counts[{symbols[t], symbols[t + 1]}];
  }
  return counts;
}

Symbols RandomSymbols(uint64_t seed, uint32_t vocab, size_t length) {
  CounterRng rng(seed, "count", vocab);
  Symbols symbols;
  for (size_t i = 0; i + 1 < length; ++i) {
    const bool ends = rng.NextBelow(50) == 0;
    symbols.push_back(ends ? kEnd : static_cast<SymbolId>(vocab - 1 - rng.NextBelow(std::min(vocab, 90U))));
  }
  symbols.push_back(kEnd);
  return symbols;
}

// Few symbols take the dense way, many the hashed way; neither the ways nor the threads nor the chunks may differ.
TEST(PairCounterTest, AgreesWithTheReferenceAtEveryVocabularySizeAndThreadCount) {
  for (const uint32_t vocab : {1U, 2U, 50U, 512U, 513U, 3000U, 70'000U, 0x7FFFFFFEU}) {
    const Symbols symbols = RandomSymbols(5, vocab, 9'000);
    const Counts want = CountReference(symbols);
    for (const auto& [threads, chunk] : {std::pair<size_t, size_t>(1, 3001), {2, 100}, {7, 100}, {7, 100'000}}) {
      ASSERT_EQ(Count(MakeStream(symbols, chunk), {.vocab_size = vocab}, threads), want) << "vocab " << vocab;
    }
  }
}

// Over its limit the counter writes tables out, several times; what it counted stays the same.
TEST(PairCounterTest, ALimitChangesNoCount) {
  const TemporaryDirectory folder(testing::MemoryFolder());
  CounterRng rng(6, "spill", 0);
  Symbols symbols;
  for (int i = 0; i < 60'000; ++i) symbols.push_back(static_cast<SymbolId>(rng.NextBelow(700)));
  symbols.push_back(kEnd);
  const Counts want = CountReference(symbols);
  for (const size_t threads : {1U, 3U}) {
    ThreadPool pool(threads);
    PairCounter counter({.expected_symbols = symbols.size(),
                         .memory_limit_bytes = 200'000,
                         .files = &PosixFileSystem(),
                         .folder = folder.path()});
    ASSERT_OK(counter.Count(MakeStream(symbols, 1000), {.vocab_size = 700}, pool, {}));
    EXPECT_TRUE(counter.is_spilled());
    EXPECT_LE(counter.memory_bytes(), 200'000U);
    EXPECT_EQ(All(counter, threads), want);
    const uint64_t key = PairKey(symbols[0], symbols[1]);
    PairCountTable scratch;
    ASSERT_OK_AND_ASSIGN(const PairCountTable* const table, counter.Load(counter.PartitionOf(key), scratch));
    EXPECT_EQ(table->Find(key)->count, (want.at({symbols[0], symbols[1]})));
    EXPECT_FALSE(PosixFileSystem().List(folder.path())->empty());
    counter.Clear();
    EXPECT_TRUE(All(counter).empty());
    EXPECT_TRUE(PosixFileSystem().List(folder.path())->empty()) << "scratch files are removed";
  }
}

TEST(PairCounterTest, BatchesAddAndSubtract) {
  ThreadPool pool(2);
  PairCounter counter({.expected_symbols = 1'000'000});
  PairKeys batch;
  for (SymbolId i = 0; i < 500; ++i) batch.Add(i % 7, i);
  counter.Partition(batch);
  ASSERT_OK(counter.Add({&batch, 1}, pool, {}));
  ASSERT_OK(counter.Add({&batch, 1}, pool, {}));
  EXPECT_EQ(counter.Find({3, 10}), 2U);
  PairKeys once;
  once.Add(3, 10);
  once.Add(3, 11);  // not there
  once.weights = {2, 1};
  counter.Partition(once);
  ASSERT_OK(counter.Subtract({&once, 1}, pool, {}));
  EXPECT_EQ(counter.Find({3, 10}), 0U);
  EXPECT_EQ(counter.Find({3, 11}), 0U);
  EXPECT_EQ(All(counter).size(), 499U);
  counter.Forget({0, 7});
  ASSERT_OK(counter.Retain([](const PairCount& entry) { return entry.pair().left == 0; }, pool, {}));
  EXPECT_EQ(All(counter).size(), 71U);
  PairCounter other;
  other.MatchPartitions(counter);
  ASSERT_OK(other.Absorb(counter, [](const PairCount& entry) { return entry.pair().right > 70; }, pool, {}));
  EXPECT_EQ(All(other).size(), 61U);
}

// Keys that fall on each other under the first seed: counting stays fast because the table changes its seed.
TEST(PairCounterTest, ATableSurvivesKeysThatCollide) {
  PairCountTable plain;
  std::vector<uint64_t> keys;
  // Multiples of a power of two spread badly under any hash that looks at few bits.
  for (uint64_t i = 0; i < 20'000; ++i) keys.push_back(i << 40);
  for (const uint64_t key : keys) plain.Add(key, key + 1);
  EXPECT_EQ(plain.size(), keys.size());
  for (const uint64_t key : keys) ASSERT_EQ(plain.Find(key)->count, key + 1);
  EXPECT_EQ(plain.Find(1), nullptr);
}

TEST(PairCounterTest, NothingToCountIsNoError) {
  EXPECT_TRUE(Count(MakeStream({}), {.vocab_size = 4}).empty());
  EXPECT_TRUE(Count(MakeStream({kEnd}), {.vocab_size = 4}).empty());
}

TEST(PairCounterTest, CountsSymbols) {
  ThreadPool pool(2);
  const SymbolStream stream = MakeStream({1 | kStart, 1, kEnd, 2, kEnd, 1, kEnd}, 2);
  ASSERT_OK_AND_ASSIGN(const auto counts, CountSymbols(stream, 4, pool, {}));
  EXPECT_EQ(counts, (std::vector<uint64_t>{0, 3, 1, 0}));
}

TEST(PairCounterTest, CancellationStopsIt) {
  ThreadPool pool(1);
  CancellationSource source;
  source.Cancel();
  PairCounter counter;
  EXPECT_THAT(counter.Count(MakeStream({1, 2, kEnd}), {.vocab_size = 4}, pool, source.token()),
              StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace clm
