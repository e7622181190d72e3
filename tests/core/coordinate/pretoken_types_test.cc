#include "core/coordinate/pretoken_types.h"

#include <map>

#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::AllSymbols;
using ::clm::testing::Symbols;

constexpr PackedSymbol kStart = kPretokenStart;
constexpr PackedSymbol kEnd = kPackedSeparator;

// A document of random pretokens; its first may lack the flag.
Symbols RandomDocument(CounterRng& rng) {
  Symbols document;
  const uint64_t length = rng.NextBelow(40);
  for (uint64_t i = 0; i < length; ++i) {
    const auto id = static_cast<PackedSymbol>(rng.NextBelow(3));
    const uint64_t kind = rng.NextBelow(12);
    document.push_back(kind == 0 ? kEnd : kind < 6 ? id | kStart : id);
  }
  document.push_back(kEnd);
  return document;
}

TEST(PretokenTypesTest, EachPretokenIsKeptOnceWithItsCount) {
  PretokenTypes types(10, /*keep_order=*/false);
  ASSERT_OK(types.Add(Symbols{1 | kStart, 2, 3 | kStart, 1 | kStart, 2, kEnd}));
  ASSERT_OK(types.Add(Symbols{1, 2, 1 | kStart, 2, 2, kEnd}));
  SymbolStream stream;
  ASSERT_OK(types.WriteTypes(stream));
  ASSERT_OK(stream.Seal());
  EXPECT_EQ(AllSymbols(stream), (Symbols{1 | kStart, 2, kEnd, 1, 2, kEnd, 1 | kStart, 2, 2, kEnd}));
  ThreadPool pool(1);
  ASSERT_OK(stream.Visit(0, 1, pool, {}, [](size_t, const SymbolChunk& chunk) {
    EXPECT_EQ(chunk.weights, (std::vector<uint64_t>{2, 1, 1}));
    return absl::OkStatus();
  }));
  EXPECT_EQ(types.singles()[3], 1U) << "a pretoken of one symbol folds with nothing";
  types.Clear();
  EXPECT_EQ(types.singles()[3], 1U);
  SymbolStream empty;
  ASSERT_OK(types.WriteTypes(empty));
  ASSERT_OK(empty.Seal());
  EXPECT_EQ(empty.chunk_count(), 0U);
}

TEST(PretokenTypesTest, DocumentsComeBackInTheirOrder) {
  for (uint64_t round = 0; round < 200; ++round) {
    CounterRng rng(8, "types", round);
    PretokenTypes types(3, /*keep_order=*/true);
    Symbols want;
    for (int d = 0; d < 5; ++d) {
      const Symbols document = RandomDocument(rng);
      want.insert(want.end(), document.begin(), document.end());
      ASSERT_OK(types.Add(document));
    }
    SymbolStream documents;
    ASSERT_OK(types.WriteDocuments(documents));
    ASSERT_OK(documents.Seal());
    ASSERT_EQ(AllSymbols(documents), want) << "round " << round;
    SymbolStream stream({.chunk_symbols = 1 + rng.NextBelow(20)});
    ASSERT_OK(types.WriteTypes(stream));
    ASSERT_OK(stream.Seal());
    SymbolStream expanded;
    ASSERT_OK(types.Expand(stream, {}, expanded));
    ASSERT_OK(expanded.Seal());
    ASSERT_EQ(AllSymbols(expanded), want) << "round " << round;
  }
}

TEST(PretokenTypesTest, MemoryIsCounted) {
  PretokenTypes types(3, /*keep_order=*/true);
  const uint64_t before = types.memory_bytes();
  ASSERT_OK(types.Add(Symbols(10'000, 1)));
  EXPECT_GE(types.memory_bytes(), before + 40'000);
  types.Clear();
  EXPECT_LE(types.memory_bytes(), before + 64);
}

}  // namespace
}  // namespace clm
