#include "core/coordinate/unfolder.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::Describe;
using ::clm::testing::Ids;
using ::clm::testing::MakeUniverse;
using ::clm::testing::RandomIds;
using ::clm::testing::RandomUniverse;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(UnfolderTest, KnowsEveryExpansion) {
  const Unfolder unfolder(MakeUniverse(10, {{{1, 2}}, {{10, 3}, {4, 10}}}));
  EXPECT_THAT(unfolder.Expansion(7), ElementsAre(7));
  EXPECT_THAT(unfolder.Expansion(11), ElementsAre(1, 2, 3));
  EXPECT_THAT(unfolder.Expansion(12), ElementsAre(4, 1, 2));
}

TEST(UnfolderTest, AgreesWithTheUniverse) {
  for (uint64_t round = 0; round < 500; ++round) {
    CounterRng rng(4, "unfold", round);
    const Universe universe = RandomUniverse(rng, 3, 8, 6);
    const Ids ids = RandomIds(rng, universe.vocab_size(), 20);
    Ids want;
    ASSERT_OK(universe.Unfold(ids, want));
    Ids got;
    ASSERT_OK(Unfolder(universe).Unfold(ids, got));
    ASSERT_EQ(got, want) << "round " << round << " " << Describe(universe);
  }
}

// Acceptance check 19: an unknown id is an error that names the position, and nothing is written.
TEST(UnfolderTest, UnknownIdIsRefusedWithItsPosition) {
  Ids out = {9};
  EXPECT_THAT(Unfolder(MakeUniverse(10, {{{1, 2}}})).Unfold(Ids{10, 1, 11}, out),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("symbol 11 at position 2")));
  EXPECT_THAT(out, ElementsAre(9));
}

}  // namespace
}  // namespace clm
