#include "core/coordinate/pair_delta.h"

#include <algorithm>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"

namespace clm {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr PackedSymbol kEnd = kPackedSeparator;

struct Deltas {
  PairKeys removed;
  PairKeys added;
};

// The folds of the pairs (1, 2), (5, 5) to 10, 11.
Deltas Collect(const SymbolChunk& chunk, bool first_is_taken = false) {
  const PairTable table(std::vector<SymbolPair>{{1, 2}, {5, 5}}, 10);
  std::vector<FoldMatch> room;
  const auto matches = FindFolds(table, JoinRule::kAny, chunk.symbols, first_is_taken, room);
  Deltas deltas;
  CollectPairDeltas(chunk, JoinRule::kAny, first_is_taken, matches, deltas.removed, deltas.added);
  return deltas;
}

// stream_folder_test.cc compares with counts of random streams; these say what the cases are.
TEST(PairDeltaTest, AFoldChangesThePairsAroundIt) {
  const Deltas deltas = Collect({.symbols = {7, 1, 2, 8, 9, kEnd, kEnd, kEnd}, .weights = {}});
  EXPECT_THAT(deltas.removed.keys, UnorderedElementsAre(PairKey(7, 1), PairKey(1, 2), PairKey(2, 8)));
  EXPECT_THAT(deltas.added.keys, UnorderedElementsAre(PairKey(7, 10), PairKey(10, 8)));
}

TEST(PairDeltaTest, NeighbouringFoldsShareAPair) {
  const Deltas deltas = Collect({.symbols = {5, 5, 5, 5, kEnd, kEnd, kEnd}, .weights = {}});
  EXPECT_THAT(deltas.removed.keys, UnorderedElementsAre(PairKey(5, 5), PairKey(5, 5), PairKey(5, 5)));
  EXPECT_THAT(deltas.added.keys, UnorderedElementsAre(PairKey(11, 11)));
}

TEST(PairDeltaTest, PairsAcrossTheEndsOfAChunkAreNotItsOwn) {
  // The first symbol belongs to the chunk before, the last one folds with the chunk behind.
  const Deltas deltas = Collect({.symbols = {5, 7, 1, 2, 4}, .weights = {}}, /*first_is_taken=*/true);
  EXPECT_THAT(deltas.removed.keys, UnorderedElementsAre(PairKey(5, 7), PairKey(7, 1)));
  EXPECT_THAT(deltas.added.keys, UnorderedElementsAre(PairKey(7, 10)));
}

TEST(PairDeltaTest, WeightsAreThoseOfTheDocument) {
  const Deltas deltas = Collect({.symbols = {1, 2, 7, kEnd, 1, 2, kEnd, kEnd, kEnd}, .weights = {3, 50}});
  EXPECT_THAT(deltas.removed.keys, UnorderedElementsAre(PairKey(1, 2), PairKey(2, 7), PairKey(1, 2)));
  EXPECT_THAT(deltas.removed.weights, UnorderedElementsAre(3, 3, 50));
  EXPECT_THAT(deltas.added.keys, UnorderedElementsAre(PairKey(10, 7)));
  EXPECT_THAT(deltas.added.weights, UnorderedElementsAre(3));
}

TEST(PairDeltaTest, EdgesThatStayAreNoChange) {
  SymbolStream::Edges before = {.last = {1, 5, kEnd}, .next = {{2, 3}, {6, kEnd}, {kEnd, kEnd}}};
  SymbolStream::Edges after = before;
  after.last[0] = 10;
  after.next[0] = {3, kEnd};
  Deltas deltas;
  CollectEdgeDeltas(before, after, JoinRule::kAny, deltas.removed, deltas.added);
  EXPECT_THAT(deltas.removed.keys, UnorderedElementsAre(PairKey(1, 2)));
  EXPECT_THAT(deltas.added.keys, UnorderedElementsAre(PairKey(10, 3)));
  Deltas none;
  CollectEdgeDeltas(after, after, JoinRule::kAny, none.removed, none.added);
  EXPECT_THAT(none.added.keys, IsEmpty());
}

}  // namespace
}  // namespace clm
