#include "core/coordinate/candidate_selector.h"

#include <algorithm>

#include "core/base/rng.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

TEST(CandidateSelectorTest, KeepsTheBestInOrderHoweverTheyCome) {
  for (uint64_t round = 0; round < 200; ++round) {
    CounterRng rng(2, "selector", round);
    const size_t wanted = rng.NextBelow(20);
    std::vector<PairCandidate> all(rng.NextBelow(200));
    for (size_t i = 0; i < all.size(); ++i) {
      // Few scores, so that ties are common.
      all[i] = {.key = i * 7919 % 1009, .count = i, .score = static_cast<double>(rng.NextBelow(9))};
    }
    CandidateSelector first(wanted);
    CandidateSelector second(wanted);
    for (const PairCandidate& candidate : all) {
      CandidateSelector& selector = rng.NextBelow(2) == 0 ? first : second;
      if (!selector.IsHopeless(candidate.score)) selector.Add(candidate);
    }
    first.Merge(second);
    const std::vector<PairCandidate> got = first.Take();
    std::sort(all.begin(), all.end(), [](const PairCandidate& a, const PairCandidate& b) {
      return a.score != b.score ? a.score > b.score : a.key < b.key;
    });
    ASSERT_EQ(got.size(), std::min(wanted, all.size()));
    for (size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i].key, all[i].key) << "round " << round;
  }
}

TEST(CandidateSelectorTest, WantingNothingKeepsNothing) {
  CandidateSelector selector(0);
  selector.Add({.key = 1, .count = 1, .score = 1});
  EXPECT_TRUE(selector.Take().empty());
}

}  // namespace
}  // namespace clm
