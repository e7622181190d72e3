#include "core/coordinate/pair_scorer.h"

#include <cmath>

#include "core/base/rng.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

constexpr PairStrategy kStrategies[] = {PairStrategy::kCount, PairStrategy::kPmi, PairStrategy::kConditional};

TEST(PairScorerTest, ScoresAreTheStatedFormulas) {
  const PairEvidence evidence = {.count = 6, .left = 10, .right = 8, .total = 100};
  EXPECT_EQ(ScorerOf(PairStrategy::kCount).Score(evidence), 6);
  EXPECT_DOUBLE_EQ(ScorerOf(PairStrategy::kPmi).Score(evidence), 6 * std::log(6.0 * 100 / (10 * 8)));
  EXPECT_DOUBLE_EQ(ScorerOf(PairStrategy::kConditional).Score(evidence), 6 * (6.0 / 8));
}

TEST(PairScorerTest, PmiRefusesWhatChanceExplains) {
  const PairScorer& pmi = ScorerOf(PairStrategy::kPmi);
  EXPECT_FALSE(pmi.IsCandidate({.count = 1, .left = 10, .right = 10, .total = 100}));
  EXPECT_TRUE(pmi.IsCandidate({.count = 2, .left = 10, .right = 10, .total = 100}));
  EXPECT_GT(pmi.Score({.count = 2, .left = 10, .right = 10, .total = 100}), 0);
  EXPECT_TRUE(ScorerOf(PairStrategy::kCount).IsCandidate({.count = 1, .left = 10, .right = 10, .total = 100}));
}

// The bound lets whoever searches skip pairs unseen.
TEST(PairScorerTest, NoScoreIsAboveItsBound) {
  CounterRng rng(4, "bound", 0);
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t count = 1 + rng.NextBelow(rng.NextBelow(2) == 0 ? 5 : 1'000'000);
    const uint64_t left = count + rng.NextBelow(rng.NextBelow(2) == 0 ? 2 : 1'000'000);
    const uint64_t right = count + rng.NextBelow(rng.NextBelow(2) == 0 ? 2 : 1'000'000);
    const PairEvidence evidence = {
        .count = count, .left = left, .right = right, .total = static_cast<double>(left + right + rng.NextBelow(1000))};
    for (const PairStrategy strategy : kStrategies) {
      const PairScorer& scorer = ScorerOf(strategy);
      ASSERT_LE(scorer.Score(evidence), scorer.Bound(count, evidence.total)) << NameOf(strategy) << " " << count;
      ASSERT_TRUE(!scorer.IsCandidate(evidence) || scorer.Score(evidence) > 0);
    }
  }
}

}  // namespace
}  // namespace clm
