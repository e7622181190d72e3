#include "core/coordinate/stream_folder.h"

#include <map>

#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::AllSymbols;
using ::clm::testing::MakeStream;
using ::clm::testing::StatusIs;
using ::clm::testing::Symbols;
using ::clm::testing::TemporaryDirectory;

constexpr JoinRule kRules[] = {JoinRule::kAny, JoinRule::kWithinPretoken, JoinRule::kWholePretokens};

struct Scene {
  std::vector<SymbolPair> pairs;
  Symbols symbols;
};

// Three or four kinds of symbols: runs of pairs that fold cross the ends of most chunks.
Scene MakeScene(uint64_t round) {
  CounterRng rng(9, "stream_folder", round);
  Scene scene;
  const uint64_t kinds = 1 + round % 4;
  for (SymbolId left = 0; left < kinds; ++left) {
    for (SymbolId right = 0; right < kinds; ++right) {
      if (rng.NextBelow(3) > 0) scene.pairs.push_back({left, right});
    }
  }
  const uint64_t length = 1 + rng.NextBelow(300);
  for (uint64_t i = 0; i < length; ++i) {
    const auto id = static_cast<PackedSymbol>(rng.NextBelow(kinds));
    const uint64_t kind = rng.NextBelow(30);
    scene.symbols.push_back(kind == 0 ? kPackedSeparator : kind < 15 ? id | kPretokenStart : id);
  }
  scene.symbols.push_back(kPackedSeparator);
  return scene;
}

Symbols FoldInOnePass(const StreamFold& fold, Symbols symbols, std::vector<uint64_t>& uses) {
  uses.assign(fold.table->size(), 0);
  FoldCursor cursor;
  FoldLayerInPlace({.table = fold.table, .rule = fold.rule, .uses = uses.data()}, symbols, symbols.size(), cursor);
  symbols.resize(cursor.write);
  return symbols;
}

std::map<uint64_t, uint64_t> CountsOf(const PairCounter& counter) {
  ThreadPool pool(1);
  std::map<uint64_t, uint64_t> counts;
  CLM_CHECK(counter
                .Visit(pool, {},
                       [&](size_t, std::span<const PairCount> slots) {
                         for (const PairCount& entry : slots) {
                           if (entry.count > 0) counts[entry.key] += entry.count;
                         }
                         return absl::OkStatus();
                       })
                .ok());
  return counts;
}

// However a document is cut and however many threads fold it, the result is that of one pass, and counts that followed
// the folds are those of a count of the result.
TEST(StreamFolderTest, AnyChunksAndThreadsFoldAndCountAsOnePass) {
  const TemporaryDirectory folder(testing::MemoryFolder());
  for (uint64_t round = 0; round < 240; ++round) {
    const Scene scene = MakeScene(round);
    const JoinRule rule = kRules[round / 4 % 3];
    const PairTable table(scene.pairs, 10);
    const StreamFold fold = {.table = &table, .rule = rule};
    const auto new_vocab = static_cast<uint32_t>(10 + scene.pairs.size());
    std::vector<uint64_t> want_uses;
    const Symbols want = FoldInOnePass(fold, scene.symbols, want_uses);
    CounterRng rng(9, "chunks", round);
    SymbolStream stream({.chunk_symbols = 1 + rng.NextBelow(20),
                         .memory_limit_bytes = round % 5 == 0 ? 64U : 0U,
                         .files = &PosixFileSystem(),
                         .folder = folder.path()});
    ASSERT_OK(stream.Append(scene.symbols));
    ASSERT_OK(stream.Seal());
    ThreadPool pool(1 + round % 3);
    ASSERT_OK_AND_ASSIGN(const std::vector<uint64_t> counted, CountFolds(fold, stream, pool, {}));
    EXPECT_EQ(counted, want_uses);

    PairCounter counts;
    ASSERT_OK(counts.Count(stream, {.vocab_size = new_vocab, .rule = rule}, pool, {}));
    PairCounter fresh;
    PairTracking tracking = {.counts = &counts, .fresh = &fresh};
    ASSERT_OK_AND_ASSIGN(const std::vector<uint64_t> uses, FoldStream(fold, stream, &tracking, pool, {}));
    ASSERT_EQ(uses, want_uses) << "round " << round;
    ASSERT_EQ(AllSymbols(stream), want) << "round " << round;
    ASSERT_OK(counts.Absorb(fresh, [](const PairCount&) { return true; }, pool, {}));
    PairCounter recounted;
    ASSERT_OK(recounted.Count(stream, {.vocab_size = new_vocab, .rule = rule}, pool, {}));
    ASSERT_EQ(CountsOf(counts), CountsOf(recounted)) << "round " << round;
  }
}

TEST(StreamFolderTest, WeightedDocumentsCountAsOftenAsTheyStandFor) {
  for (uint64_t round = 0; round < 100; ++round) {
    CounterRng rng(10, "weights", round);
    const PairTable table(std::vector<SymbolPair>{{0, 1}, {1, 1}, {2, 0}}, 10);
    const StreamFold fold = {.table = &table, .rule = JoinRule::kAny};
    SymbolStream weighted({.chunk_symbols = 1 + rng.NextBelow(30)});
    SymbolStream repeated({.chunk_symbols = 1 + rng.NextBelow(30)});
    for (int d = 0; d < 20; ++d) {
      Symbols document(rng.NextBelow(12));
      for (PackedSymbol& symbol : document) symbol = static_cast<PackedSymbol>(rng.NextBelow(3));
      const uint64_t weight = 1 + rng.NextBelow(5);
      ASSERT_OK(weighted.AppendWeighted(document, weight));
      document.push_back(kPackedSeparator);
      for (uint64_t i = 0; i < weight; ++i) ASSERT_OK(repeated.Append(document));
    }
    ASSERT_OK(weighted.Seal());
    ASSERT_OK(repeated.Seal());
    ThreadPool pool(2);
    PairCounter counts;
    PairCounter fresh;
    ASSERT_OK(counts.Count(weighted, {.vocab_size = 13}, pool, {}));
    PairTracking tracking = {.counts = &counts, .fresh = &fresh};
    ASSERT_OK_AND_ASSIGN(const std::vector<uint64_t> want, FoldStream(fold, repeated, nullptr, pool, {}));
    ASSERT_OK_AND_ASSIGN(const std::vector<uint64_t> got, FoldStream(fold, weighted, &tracking, pool, {}));
    ASSERT_EQ(got, want) << "round " << round;
    ASSERT_OK(counts.Absorb(fresh, [](const PairCount&) { return true; }, pool, {}));
    PairCounter recounted;
    ASSERT_OK(recounted.Count(repeated, {.vocab_size = 13}, pool, {}));
    ASSERT_EQ(CountsOf(counts), CountsOf(recounted)) << "round " << round;
  }
}

TEST(StreamFolderTest, TrackingStopsAtItsLimit) {
  const Scene scene = MakeScene(3);
  const PairTable table(scene.pairs, 10);
  SymbolStream stream = MakeStream(scene.symbols, 10);
  ThreadPool pool(1);
  PairCounter counts;
  PairCounter fresh;
  ASSERT_OK(counts.Count(stream, {.vocab_size = 30}, pool, {}));
  PairTracking tracking = {.counts = &counts, .fresh = &fresh, .memory_limit_bytes = 1};
  std::vector<uint64_t> want_uses;
  const StreamFold fold = {.table = &table};
  const Symbols want = FoldInOnePass(fold, scene.symbols, want_uses);
  ASSERT_OK_AND_ASSIGN(const std::vector<uint64_t> uses, FoldStream(fold, stream, &tracking, pool, {}));
  EXPECT_TRUE(tracking.failed);
  EXPECT_EQ(uses, want_uses) << "the folds go on";
  EXPECT_EQ(AllSymbols(stream), want);
}

TEST(StreamFolderTest, CancellationIsHeard) {
  SymbolStream stream = MakeStream(Symbols(1000, 1), 10);
  const PairTable table(std::vector<SymbolPair>{{1, 1}}, 10);
  ThreadPool pool(1);
  CancellationSource source;
  source.Cancel();
  EXPECT_THAT(FoldStream({.table = &table}, stream, nullptr, pool, source.token()),
              StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace clm
