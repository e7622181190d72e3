#include "core/coordinate/canonical.h"

#include "core/coordinate/fold_reference.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::Describe;
using ::clm::testing::Ids;
using ::clm::testing::Learn;
using ::clm::testing::MakeUniverse;
using ::clm::testing::RandomIds;
using ::clm::testing::RandomStarts;
using ::clm::testing::RandomUniverse;
using ::clm::testing::Starts;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// What canonical means: folding the text of `ids` gives `ids`.
bool ComesBack(const Universe& universe, const Ids& ids, const Starts& starts = {}) {
  Ids base;
  CLM_CHECK(universe.Unfold(ids, base).ok());
  return FoldReference(universe, base, starts) == ids;
}

// Every sequence of up to five symbols, in counting order.
void ExpectAgreementOnAllShortSequences(const Universe& universe) {
  const CanonicalTest test(universe);
  const uint32_t vocab = universe.vocab_size();
  for (size_t length = 0; length <= 5; ++length) {
    Ids ids(length, 0);
    while (true) {
      ASSERT_EQ(test.IsCanonical(ids).value(), ComesBack(universe, ids))
          << Describe(universe) << " " << ::testing::PrintToString(ids);
      size_t digit = 0;
      while (digit < length && ++ids[digit] == vocab) ids[digit++] = 0;
      if (digit == length) break;
    }
  }
}

// Acceptance check 16: the local test says what folding again would, for all sequences up to five of at most 12
// symbols.
TEST(CanonicalTestTest, AgreesWithFoldingAgainOnAllShortSequences) {
  ExpectAgreementOnAllShortSequences(MakeUniverse(2, {{{0, 0}}, {{2, 2}}, {{3, 0}, {2, 0}}}));
  ExpectAgreementOnAllShortSequences(MakeUniverse(2, {{{0, 1}, {1, 0}}, {{2, 3}, {0, 2}}}));
  for (uint64_t round = 0; round < 6; ++round) {
    CounterRng rng(16, "canonical_short", round);
    const Universe universe = RandomUniverse(rng, 2, 3, 2);
    if (universe.vocab_size() <= 12) ExpectAgreementOnAllShortSequences(universe);
  }
}

// Acceptance check 16, at random: hand-made universes with dead symbols and the same pair in several layers.
TEST(CanonicalTestTest, AgreesWithFoldingAgainOnRandomUniverses) {
  for (uint64_t round = 0; round < 1500; ++round) {
    CounterRng rng(17, "canonical_random", round);
    const Universe universe = RandomUniverse(rng, 2 + static_cast<uint32_t>(rng.NextBelow(3)), 5, 4);
    const CanonicalTest test(universe);
    for (int i = 0; i < 30; ++i) {
      const Ids ids = RandomIds(rng, universe.vocab_size(), 6);
      ASSERT_EQ(test.IsCanonical(ids).value(), ComesBack(universe, ids))
          << "round " << round << " " << Describe(universe) << " " << ::testing::PrintToString(ids);
    }
  }
}

TEST(CanonicalTestTest, DeadMeansThatTheOwnExpansionFoldsToSomethingElse) {
  for (uint64_t round = 0; round < 1500; ++round) {
    CounterRng rng(18, "canonical_dead", round);
    const Universe universe = RandomUniverse(rng, 3, 5, 5);
    const CanonicalTest test(universe);
    for (SymbolId id = 0; id < universe.vocab_size(); ++id) {
      ASSERT_EQ(test.IsDead(id), !ComesBack(universe, {id})) << "round " << round << " " << id << Describe(universe);
    }
  }
}

// Acceptance check 17: layer 1 turns every 1 2 into 10, so 1 followed by (2 3) can never meet.
TEST(CanonicalTestTest, ReportsACoordinateThatCanNeverBeEmitted) {
  const Universe universe = MakeUniverse(10, {{{1, 2}, {2, 3}}, {{1, 11}, {10, 3}}});
  const CanonicalTest test(universe);
  EXPECT_THAT(test.dead_symbols(), ElementsAre(12));
}

TEST(CanonicalTestTest, LearnedUniversesHaveNoDeadSymbols) {
  for (uint64_t round = 0; round < 100; ++round) {
    CounterRng rng(19, "canonical_learned", round);
    std::vector<Ids> documents;
    for (int d = 0; d < 5; ++d) documents.push_back(RandomIds(rng, 3, 60));
    const Universe universe = Learn({.layers = 5, .nodes_per_layer = 4}, 3, documents).universe;
    EXPECT_THAT(CanonicalTest(universe).dead_symbols(), IsEmpty()) << "round " << round << " " << Describe(universe);
  }
}

TEST(CanonicalTestTest, FollowsTheStartsOfTheText) {
  for (uint64_t round = 0; round < 1500; ++round) {
    CounterRng rng(20, "canonical_starts", round);
    const Universe universe =
        RandomUniverse(rng, 3, 5, 4, {JoinRule::kAny, JoinRule::kWithinPretoken, JoinRule::kWholePretokens});
    const CanonicalTest test(universe);
    const Ids ids = RandomIds(rng, universe.vocab_size(), 6);
    Ids base;
    ASSERT_OK(universe.Unfold(ids, base));
    const Starts starts = RandomStarts(rng, base.size());
    ASSERT_EQ(test.IsCanonical(ids, starts).value(), ComesBack(universe, ids, starts)) << "round " << round;
  }
}

// Folding never puts two symbols side by side that MayFollow forbids, whatever the rules are.
TEST(CanonicalTestTest, NothingThatFoldingProducesIsForbidden) {
  for (uint64_t round = 0; round < 2000; ++round) {
    CounterRng rng(21, "canonical_mask", round);
    const Universe universe =
        RandomUniverse(rng, 3, 6, 5, {JoinRule::kAny, JoinRule::kWithinPretoken, JoinRule::kWholePretokens});
    const Ids base = RandomIds(rng, 3, 40);
    const Starts starts = RandomStarts(rng, base.size());
    const Ids ids = FoldReference(universe, base, starts);
    const CanonicalTest test(universe);
    size_t position = 0;
    for (size_t i = 0; i < ids.size(); ++i) {
      const bool starts_pretoken = starts[position] != 0;
      ASSERT_TRUE(i == 0 || test.MayFollow(ids[i - 1], ids[i], starts_pretoken))
          << "round " << round << " " << Describe(universe) << " at " << i;
      position += universe.Length(ids[i]);
    }
  }
}

TEST(CanonicalTestTest, InsideAPretokenMoreIsForbiddenThanAcross) {
  const CanonicalTest test(MakeUniverse(10, {{{1, 2}}}, {}, JoinRule::kWithinPretoken));
  EXPECT_FALSE(test.MayFollow(1, 2, /*right_starts_pretoken=*/false));
  EXPECT_TRUE(test.MayFollow(1, 2, /*right_starts_pretoken=*/true));
}

TEST(CanonicalTestTest, TheMaskIsWhatMayFollow) {
  for (uint64_t round = 0; round < 100; ++round) {
    CounterRng rng(22, "canonical_allowed", round);
    const Universe universe = RandomUniverse(rng, 3, 5, 4, {JoinRule::kAny, JoinRule::kWithinPretoken});
    const CanonicalTest test(universe);
    std::vector<uint8_t> allowed(universe.vocab_size());
    for (SymbolId left = 0; left < universe.vocab_size(); ++left) {
      for (const bool starts : {false, true}) {
        test.MarkAllowed(left, allowed, starts);
        for (SymbolId right = 0; right < universe.vocab_size(); ++right) {
          const bool want = !test.IsDead(right) && test.MayFollow(left, right, starts);
          ASSERT_EQ(allowed[right] != 0, want) << left << " " << right << " " << Describe(universe);
        }
      }
    }
  }
}

TEST(CanonicalTestTest, UnknownIdsAndMissingStartsAreErrors) {
  const CanonicalTest test(MakeUniverse(10, {{{1, 2}}}, {}, JoinRule::kWithinPretoken));
  EXPECT_THAT(test.IsCanonical(Ids{1, 11}), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(test.IsCanonical(Ids{10}, Starts{1}), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace clm
