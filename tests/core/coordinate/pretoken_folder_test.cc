#include "core/coordinate/pretoken_folder.h"

#include "core/coordinate/fold_reference.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"

namespace clm {
namespace {

using ::clm::testing::Describe;
using ::clm::testing::Ids;
using ::clm::testing::MakeUniverse;
using ::clm::testing::RandomIds;
using ::clm::testing::RandomStarts;
using ::clm::testing::RandomUniverse;
using ::clm::testing::Starts;
using ::testing::ElementsAre;

constexpr PackedSymbol kStart = kPretokenStart;

// Few symbols and many layers, so that most pairs stand in several layers and runs overlap.
TEST(PretokenFolderTest, AgreesWithOnePassPerLayer) {
  for (uint64_t round = 0; round < 3000; ++round) {
    CounterRng rng(6, "pretoken_folder", round);
    const Universe universe = RandomUniverse(rng, 2, 12, 4, {JoinRule::kWithinPretoken});
    const PretokenFolder folder(universe, 1, universe.layer_count());
    const Ids ids = RandomIds(rng, 2, 40);
    const Starts starts = RandomStarts(rng, ids.size());
    std::vector<PackedSymbol> symbols;
    for (size_t i = 0; i < ids.size(); ++i) symbols.push_back(ids[i] | (starts[i] != 0 ? kStart : 0));
    symbols.resize(folder.FoldInPlace(symbols));
    for (PackedSymbol& symbol : symbols) symbol &= kIdMask;
    ASSERT_EQ(symbols, FoldReference(universe, ids, starts)) << "round " << round << " " << Describe(universe);
  }
}

TEST(PretokenFolderTest, FlagsStayWithTheFirstSymbolOfEachPretoken) {
  const Universe universe = MakeUniverse(10, {{{1, 2}}, {{10, 3}}}, {}, JoinRule::kWithinPretoken);
  const PretokenFolder folder(universe, 1, 2);
  std::vector<PackedSymbol> symbols = {1 | kStart, 2, 3, 4 | kStart, 1 | kStart, 2 | kStart, 1, 2};
  symbols.resize(folder.FoldInPlace(symbols));
  EXPECT_THAT(symbols, ElementsAre(11 | kStart, 4 | kStart, 1 | kStart, 2 | kStart, 10));
}

TEST(PretokenFolderTest, ARunMayBeginAboveOtherLayers) {
  const Universe universe = MakeUniverse(10, {{{1, 2}}, {{1, 2}}}, {}, JoinRule::kWithinPretoken);
  const PretokenFolder folder(universe, 2, 2);
  std::vector<PackedSymbol> symbols = {1 | kStart, 2};
  ASSERT_EQ(folder.FoldInPlace(symbols), 1U);
  EXPECT_EQ(symbols[0], 11 | kStart);
}

}  // namespace
}  // namespace clm
