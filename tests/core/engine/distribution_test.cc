#include "core/engine/distribution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <numeric>

#include "core/base/rng.h"
#include "core/engine/tables.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

constexpr int32_t kLimit = (int32_t{1} << 30) - 1;

std::vector<int32_t> RandomLogits(size_t count, uint64_t seed, int bits) {
  CounterRng rng(seed, "logits", 0);
  std::vector<int32_t> logits(count);
  for (int32_t& logit : logits) logit = static_cast<int32_t>(rng.NextBelow(uint64_t{1} << bits));
  return logits;
}

// Every kind of logits that is hard on a table.
std::vector<std::vector<int32_t>> HardLogits(size_t count) {
  std::vector<std::vector<int32_t>> all = {std::vector<int32_t>(count, 0), std::vector<int32_t>(count, -kLimit),
                                           std::vector<int32_t>(count, kLimit)};
  std::vector<int32_t> spike(count, -kLimit);
  spike[count / 2] = kLimit;
  all.push_back(spike);
  std::vector<int32_t> stairs(count);
  std::iota(stairs.begin(), stairs.end(), -5);
  all.push_back(stairs);
  for (const int bits : {1, 8, 16, 19, 22, 30}) all.push_back(RandomLogits(count, static_cast<uint64_t>(bits), bits));
  return all;
}

TEST(DistributionTest, FrequenciesAreThoseOfTheRule) {
  for (const size_t size : std::initializer_list<size_t>{1, 2, 63, 64, 65, 512, 513, 5000}) {
    Distribution distribution(static_cast<uint32_t>(size));
    EXPECT_EQ(distribution.precision_bits(), size <= 512 ? 20 : 24);
    for (const std::vector<int32_t>& logits : HardLogits(size)) {
      distribution.Assign(logits, /*keep_logits=*/true);
      const int32_t largest = *std::max_element(logits.begin(), logits.end());
      std::vector<uint32_t> weights(size);
      for (size_t i = 0; i < size; ++i) {
        weights[i] = Exp2Negative(static_cast<uint32_t>(largest) - static_cast<uint32_t>(logits[i]));
      }
      std::vector<uint32_t> want(size);
      NormalizeWeights(weights, distribution.precision_bits(), want);
      const std::span<const uint32_t> got = distribution.frequencies();
      // The largest logit is the largest weight, but equal weights may have different logits.
      if (std::count(weights.begin(), weights.end(), uint32_t{1} << kWeightBits) == 1) {
        ASSERT_TRUE(std::equal(got.begin(), got.end(), want.begin())) << size;
      }
      ASSERT_OK(CheckFrequencies(got, distribution.precision_bits()));
    }
  }
}

TEST(DistributionTest, IntervalsAndSearchesAgreeWithTheTable) {
  for (const size_t size : std::initializer_list<size_t>{1, 75, 300, 1000}) {
    Distribution distribution(static_cast<uint32_t>(size));
    for (const std::vector<int32_t>& logits : HardLogits(size)) {
      distribution.Assign(logits, /*keep_logits=*/true);
      uint32_t start = 0;
      for (SymbolId symbol = 0; symbol < size; ++symbol) {
        const SymbolInterval want = {start, distribution.frequencies()[symbol]};
        ASSERT_EQ(distribution.Interval(symbol), want);
        for (const uint32_t slot : std::initializer_list<uint32_t>{start, start + want.frequency - 1}) {
          SymbolInterval found;
          ASSERT_EQ(distribution.Find(slot, found), symbol);
          ASSERT_EQ(found, want);
        }
        start += want.frequency;
      }
    }
  }
}

TEST(DistributionTest, RanksSortByLogitThenId) {
  for (const size_t size : std::initializer_list<size_t>{1, 75, 300, 1000}) {
    Distribution distribution(static_cast<uint32_t>(size));
    for (const std::vector<int32_t>& logits : HardLogits(size)) {
      distribution.Assign(logits, /*keep_logits=*/true);
      std::vector<SymbolId> order(size);
      std::iota(order.begin(), order.end(), 0U);
      std::stable_sort(order.begin(), order.end(), [&](SymbolId a, SymbolId b) { return logits[a] > logits[b]; });
      for (uint32_t rank = 0; rank < size; rank += 1 + rank / 7) {
        ASSERT_EQ(distribution.SymbolOfRank(rank), order[rank]) << size;
        ASSERT_EQ(distribution.RankOf(order[rank]), rank) << size;
      }
    }
  }
}

}  // namespace
}  // namespace clm
