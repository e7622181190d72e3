#include "core/entropy/cdf.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "core/base/rng.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<uint32_t> Normalized(const std::vector<uint32_t>& weights, int precision_bits) {
  std::vector<uint32_t> frequencies(weights.size());
  NormalizeWeights(weights, precision_bits, frequencies);
  return frequencies;
}

TEST(NormalizeWeightsTest, FollowsTheRuleByHand) {
  // V = 3, P = 8: 1 + floor(w * 253 / 10) = 26, 76, 152; the 2 left of 256 go to the largest weight.
  EXPECT_THAT(Normalized({1, 3, 6}, 8), ElementsAre(26, 76, 154));
}

TEST(NormalizeWeightsTest, LeftoverGoesToTheFirstOfEqualWeights) {
  // 1 + floor(5 * 253 / 15) = 85 each, one left.
  EXPECT_THAT(Normalized({5, 5, 5}, 8), ElementsAre(86, 85, 85));
}

TEST(NormalizeWeightsTest, AllZeroCountsAsAllEqual) { EXPECT_EQ(Normalized({0, 0, 0}, 8), Normalized({5, 5, 5}, 8)); }

TEST(NormalizeWeightsTest, OneSymbolTakesEverything) { EXPECT_THAT(Normalized({0}, 8), ElementsAre(256)); }

TEST(NormalizeWeightsTest, ExtremeAndRandomWeightsKeepTheInvariant) {
  constexpr uint32_t kMax = std::numeric_limits<uint32_t>::max();
  std::vector<std::vector<uint32_t>> cases = {std::vector<uint32_t>(256, kMax), std::vector<uint32_t>(256, 1),
                                              std::vector<uint32_t>(256, 0)};
  cases.emplace_back(256, 0);
  cases.back()[255] = kMax;
  cases.emplace_back(256, kMax);
  cases.back()[0] = 0;
  for (uint64_t round = 0; round < 200; ++round) {
    CounterRng rng(11, "weights", round);
    std::vector<uint32_t>& weights = cases.emplace_back(1 + rng.NextBelow(256));
    const uint64_t shift = rng.NextBelow(32);
    for (uint32_t& weight : weights) weight = rng.NextU32() >> shift;
  }
  for (const std::vector<uint32_t>& weights : cases) {
    for (int precision_bits : {8, 12, 16, 20, 24}) {
      EXPECT_OK(CheckFrequencies(Normalized(weights, precision_bits), precision_bits));
    }
  }
}

TEST(NormalizeWeightsTest, AVocabularyAsLargeAsTheTotalGivesOneEach) {
  EXPECT_THAT(Normalized(std::vector<uint32_t>(256, 77), 8), ::testing::Each(1u));
}

TEST(FindSymbolTest, AgreesWithAScanForEverySlot) {
  const std::vector<uint32_t> frequencies = Normalized({1, 0, 0, 9, 2, 0, 50, 1}, 10);
  std::vector<uint32_t> cumulative(frequencies.size() + 1);
  Accumulate(frequencies, cumulative);
  EXPECT_EQ(cumulative.back(), 1024u);
  for (uint32_t slot = 0; slot < 1024; ++slot) {
    size_t want = 0;
    while (cumulative[want + 1] <= slot) ++want;
    ASSERT_EQ(FindSymbol(cumulative, slot), want) << "slot " << slot;
  }
}

TEST(CheckFrequenciesTest, NamesAZeroAndAWrongSum) {
  EXPECT_THAT(CheckFrequencies(std::vector<uint32_t>{255, 0, 1}, 8),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("symbol 1")));
  EXPECT_THAT(CheckFrequencies(std::vector<uint32_t>{255, 2}, 8),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("sum to 257, not to 256")));
}

}  // namespace
}  // namespace clm
