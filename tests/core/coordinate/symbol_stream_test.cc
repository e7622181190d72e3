#include "core/coordinate/symbol_stream.h"

#include <algorithm>

#include "core/base/fault_file_system.h"
#include "gmock/gmock.h"
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
using ::testing::HasSubstr;

constexpr PackedSymbol kEnd = kPackedSeparator;

Symbols Numbers(size_t count) {
  Symbols symbols(count);
  for (size_t i = 0; i < count; ++i) symbols[i] = static_cast<PackedSymbol>(i);
  return symbols;
}

// Drops the symbols that `drop` names from every chunk.
absl::Status Drop(SymbolStream& stream, const std::function<bool(PackedSymbol)>& drop, size_t threads = 2) {
  ThreadPool pool(threads);
  if (absl::Status status = stream.BeginRewrite(); !status.ok()) return status;
  const absl::Status rewritten = stream.Rewrite(0, stream.chunk_count(), pool, {}, [&](size_t, SymbolChunk& chunk) {
    const auto end = chunk.symbols.end() - kFoldLookahead;
    const auto kept = std::remove_if(chunk.symbols.begin(), end, drop);
    chunk.symbols.resize(static_cast<size_t>(kept - chunk.symbols.begin()) + kFoldLookahead);
    return absl::OkStatus();
  });
  if (!rewritten.ok()) return rewritten;
  return stream.EndRewrite();
}

TEST(SymbolStreamTest, ChunksSeeWhatFollowsThem) {
  const SymbolStream stream = MakeStream(Numbers(7), 3);
  ASSERT_EQ(stream.chunk_count(), 3U);
  ThreadPool pool(1);
  std::vector<Symbols> chunks;
  ASSERT_OK(stream.Visit(0, 3, pool, {}, [&](size_t, const SymbolChunk& chunk) {
    chunks.push_back(chunk.symbols);
    return absl::OkStatus();
  }));
  EXPECT_EQ(chunks, (std::vector<Symbols>{{0, 1, 2, 3, 4}, {3, 4, 5, 6, kEnd}, {6, kEnd, kEnd}}));
}

// In memory, partly and wholly on disk: the same symbols, the same lookaheads after a rewrite, no files at the end.
TEST(SymbolStreamTest, LimitsChangeNothingButThePlace) {
  const TemporaryDirectory folder(testing::MemoryFolder());
  for (const uint64_t limit : {0U, 1U, 1000U}) {
    {
      SymbolStream stream(
          {.chunk_symbols = 10, .memory_limit_bytes = limit, .files = &PosixFileSystem(), .folder = folder.path()});
      for (const PackedSymbol symbol : Numbers(1000)) ASSERT_OK(stream.Append({&symbol, 1}));
      ASSERT_OK(stream.Seal());
      EXPECT_EQ(stream.on_disk(), limit > 0);
      EXPECT_EQ(AllSymbols(stream), Numbers(1000));
      ASSERT_OK_AND_ASSIGN(const SymbolStream copy, stream.Clone({.chunk_symbols = 77}));
      EXPECT_EQ(AllSymbols(copy), Numbers(1000));
      // Leaves some chunks empty and some with one symbol.
      ASSERT_OK(Drop(stream, [](PackedSymbol s) { return s > 35 && s != 51 && s < 990; }));
      const Symbols want = [] {
        Symbols symbols = Numbers(36);
        symbols.push_back(51);
        for (PackedSymbol s = 990; s < 1000; ++s) symbols.push_back(s);
        return symbols;
      }();
      EXPECT_EQ(AllSymbols(stream), want);
      EXPECT_EQ(stream.symbol_count(), want.size());
      const SymbolStream::Edges edges = stream.edges();
      EXPECT_EQ(edges.last[2], 29U);
      EXPECT_EQ(edges.last[4], kEnd) << "empty";
      EXPECT_EQ(edges.next[2], (FoldLookahead{30, 31}));
      EXPECT_EQ(edges.next[3], (FoldLookahead{51, 990}));
      EXPECT_EQ(edges.next[99], (FoldLookahead{kEnd, kEnd}));
    }
    EXPECT_TRUE(PosixFileSystem().List(folder.path())->empty()) << "limit " << limit;
  }
}

TEST(SymbolStreamTest, WeightsStayWithTheirDocuments) {
  const TemporaryDirectory folder(testing::MemoryFolder());
  for (const uint64_t limit : {0U, 1U}) {
    SymbolStream stream(
        {.chunk_symbols = 8, .memory_limit_bytes = limit, .files = &PosixFileSystem(), .folder = folder.path()});
    for (uint64_t d = 0; d < 50; ++d) ASSERT_OK(stream.AppendWeighted(Numbers(1 + d % 20), d));
    ASSERT_OK(stream.Seal());
    ASSERT_OK(Drop(stream, [](PackedSymbol s) { return s != kEnd && s % 3 == 1; }));
    ASSERT_OK_AND_ASSIGN(const SymbolStream copy, stream.Clone({}));
    for (const SymbolStream* each : std::initializer_list<const SymbolStream*>{&stream, &copy}) {
      EXPECT_TRUE(each->has_weights());
      ThreadPool pool(1);
      uint64_t document = 0;
      ASSERT_OK(each->Visit(0, each->chunk_count(), pool, {}, [&](size_t, const SymbolChunk& chunk) {
        const auto ends = std::count(chunk.symbols.begin(), chunk.symbols.end() - kFoldLookahead, kEnd);
        EXPECT_EQ(static_cast<size_t>(ends), chunk.weights.size());
        for (const uint64_t weight : chunk.weights) EXPECT_EQ(weight, document++);
        return absl::OkStatus();
      }));
      EXPECT_EQ(document, 50U);
    }
  }
}

// The definition: one walk over all symbols.
std::vector<bool> TakenSlowly(const Symbols& symbols, size_t chunk, const SymbolStream::PairRule& may_take) {
  std::vector<bool> taken((symbols.size() + chunk - 1) / chunk);
  Symbols padded = symbols;
  padded.insert(padded.end(), {kEnd, kEnd});
  for (size_t t = 0; t < symbols.size(); ++t) {
    if (!may_take(padded[t], padded[t + 1], padded[t + 2])) continue;
    if ((t + 1) % chunk == 0 && t + 1 < symbols.size()) taken[(t + 1) / chunk] = true;
    ++t;
  }
  return taken;
}

TEST(SymbolStreamTest, TakenFirstsAreThoseOfOneWalk) {
  const TemporaryDirectory folder(testing::MemoryFolder());
  const auto equal = [](PackedSymbol left, PackedSymbol right, PackedSymbol next) {
    return left == right && left != kEnd && next != 7;
  };
  for (uint64_t round = 0; round < 90; ++round) {
    CounterRng rng(3, "taken", round);
    const uint64_t kinds = 1 + round % 3;  // with one kind everything is a run
    Symbols symbols(rng.NextBelow(400));
    for (PackedSymbol& symbol : symbols) symbol = static_cast<PackedSymbol>(rng.NextBelow(kinds));
    if (!symbols.empty() && round % 2 == 0) symbols[rng.NextBelow(symbols.size())] = 7;
    const size_t chunk = 1 + rng.NextBelow(round % 5 == 0 ? 200 : 9);
    SymbolStream stream({.chunk_symbols = chunk,
                         .memory_limit_bytes = round % 3 == 0 ? 100U : 0U,
                         .files = &PosixFileSystem(),
                         .folder = folder.path()});
    ASSERT_OK(stream.Append(symbols));
    ASSERT_OK(stream.Seal());
    ThreadPool pool(1 + round % 2);
    ASSERT_OK_AND_ASSIGN(const std::vector<bool> taken, stream.TakenFirsts(equal, pool, {}));
    ASSERT_EQ(taken, TakenSlowly(symbols, chunk, equal)) << "round " << round << ", chunks of " << chunk;
  }
}

// Every failing write is an error, and none leaves a file behind.
TEST(SymbolStreamTest, FailuresOfTheDiskAreErrors) {
  bool reached = true;
  for (uint64_t n = 1; reached; ++n) {
    ASSERT_LT(n, 100U);
    const TemporaryDirectory folder(testing::MemoryFolder());
    FaultFileSystem files(PosixFileSystem(), folder.path());
    files.FailOperation(n, absl::ResourceExhaustedError("no space left"));
    absl::Status status;
    {
      SymbolStream stream({.chunk_symbols = 10, .memory_limit_bytes = 100, .files = &files, .folder = folder.path()});
      status = stream.Append(Numbers(60));
      if (status.ok()) status = stream.Seal();
      if (status.ok())
        status = Drop(
            stream, [](PackedSymbol s) { return s % 2 == 0; }, 1);
    }
    reached = files.fault_happened();
    EXPECT_TRUE(status.ok() || absl::IsResourceExhausted(status)) << status;
    if (!reached) {
      EXPECT_OK(status);
    }
  }
}

TEST(SymbolStreamTest, ACutScratchFileIsAnError) {
  const TemporaryDirectory folder(testing::MemoryFolder());
  SymbolStream stream(
      {.chunk_symbols = 10, .memory_limit_bytes = 1, .files = &PosixFileSystem(), .folder = folder.path()});
  ASSERT_OK(stream.Append(Numbers(60)));
  ASSERT_OK(stream.Seal());
  const std::vector<std::string> names = PosixFileSystem().List(folder.path()).value();
  ASSERT_EQ(names.size(), 1U);
  ASSERT_OK(PosixFileSystem().Truncate(folder.File(names[0]), 100));
  ThreadPool pool(1);
  const auto nothing = [](size_t, const SymbolChunk&) { return absl::OkStatus(); };
  EXPECT_THAT(stream.Visit(0, stream.chunk_count(), pool, {}, nothing),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("was cut")));
}

}  // namespace
}  // namespace clm
