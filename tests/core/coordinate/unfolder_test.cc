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

TEST(UnfolderTest, ThreadsWriteTheSame) {
  CounterRng rng(3, "unfold_threads", 0);
  const Universe universe = RandomUniverse(rng, 5, 6, 8);
  const Unfolder unfolder(universe);
  for (const uint64_t length : {0U, 1U, 200'000U}) {
    Ids ids(length);
    for (SymbolId& id : ids) id = static_cast<SymbolId>(rng.NextBelow(universe.vocab_size()));
    Ids want = {1, 2};
    ASSERT_OK(unfolder.Unfold(ids, want));
    Ids got = {1, 2};
    ThreadPool pool(3);
    ASSERT_OK(unfolder.Unfold(ids, pool, {}, got));
    ASSERT_EQ(got, want);
    ids.push_back(universe.vocab_size());
    EXPECT_THAT(unfolder.Unfold(ids, pool, {}, got), StatusIs(absl::StatusCode::kOutOfRange));
    EXPECT_EQ(got, want) << "left as it was";
  }
}

TEST(UnfolderTest, CancellationLeavesTheOutputAsItWas) {
  const Universe universe = Universe::Create(3, {}, {}).value();
  ThreadPool pool(2);
  CancellationSource source;
  source.Cancel();
  Ids out = {7};
  EXPECT_THAT(Unfolder(universe).Unfold(Ids(10), pool, source.token(), out), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(out, Ids{7});
}

}  // namespace
}  // namespace clm
