#include "core/coordinate/fold_reference.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"

namespace clm {
namespace {

using ::clm::testing::Ids;
using ::clm::testing::MakeUniverse;
using ::clm::testing::Starts;
using ::testing::ElementsAre;

TEST(FoldReferenceTest, FoldsLeftToRightLayerByLayer) {
  const Universe universe = MakeUniverse(10, {{{5, 5}}, {{10, 10}}});
  EXPECT_THAT(FoldReference(universe, Ids{5, 5, 5, 5, 5, 5, 5}), ElementsAre(11, 10, 5));
}

TEST(FoldReferenceTest, StaysInsidePretokens) {
  const Universe universe = MakeUniverse(10, {{{5, 5}}, {{10, 5}}}, {}, JoinRule::kWithinPretoken);
  //                                                   |           |        |  the second pair would cross a start
  EXPECT_THAT(FoldReference(universe, Ids{5, 5, 5, 5, 5, 5}, Starts{1, 0, 0, 1, 1, 0}), ElementsAre(11, 5, 10));
}

TEST(FoldReferenceTest, JoinsWholePretokensOnly) {
  const Universe universe = MakeUniverse(10, {{{1, 2}}}, {}, JoinRule::kWholePretokens);
  EXPECT_THAT(FoldReference(universe, Ids{1, 2}, Starts{1, 1}), ElementsAre(10));
  EXPECT_THAT(FoldReference(universe, Ids{1, 2}, Starts{1, 0}), ElementsAre(1, 2)) << "one pretoken, not two";
  EXPECT_THAT(FoldReference(universe, Ids{1, 2, 3}, Starts{1, 1, 0}), ElementsAre(1, 2, 3)) << "2 is half a pretoken";
  EXPECT_THAT(FoldReference(universe, Ids{3, 1, 2}, Starts{1, 0, 1}), ElementsAre(3, 1, 2)) << "1 is half a pretoken";
  EXPECT_THAT(FoldReference(universe, Ids{1, 2, 3}, Starts{1, 1, 1}), ElementsAre(10, 3));
}

TEST(FoldReferenceTest, BoundarySymbolsStartPretokens) {
  const Universe universe = MakeUniverse(10, {{{1, 2}}}, {0}, JoinRule::kWholePretokens);
  EXPECT_THAT(FoldReference(universe, Ids{1, 2, 0}, Starts{1, 1, 0}), ElementsAre(10, 0));
}

}  // namespace
}  // namespace clm
