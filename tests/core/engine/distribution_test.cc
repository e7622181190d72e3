#include "core/engine/distribution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <numeric>

#include "core/base/rng.h"
#include "core/engine/fixed_point.h"
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

std::vector<uint32_t> FrequenciesOf(const Distribution& distribution, size_t size) {
  std::vector<uint32_t> frequencies(size);
  distribution.Frequencies(frequencies);
  return frequencies;
}

// The rule in whole numbers of any size.
std::vector<uint32_t> SlowFrequencies(std::span<const int32_t> logits, int precision_bits) {
  const int32_t largest = *std::max_element(logits.begin(), logits.end());
  std::vector<uint64_t> before = {0};
  for (const int32_t logit : logits) {
    before.push_back(before.back() + Exp2Negative(static_cast<uint32_t>(largest) - static_cast<uint32_t>(logit)));
  }
  const uint64_t total = uint64_t{1} << precision_bits;
  const Uint128 share = (Uint128{total - logits.size()} << 39) / before.back();
  std::vector<uint64_t> starts;
  for (size_t i = 0; i < logits.size(); ++i) starts.push_back(i + static_cast<uint64_t>((share * before[i]) >> 39));
  starts.push_back(total);
  std::vector<uint32_t> frequencies;
  for (size_t i = 0; i < logits.size(); ++i) frequencies.push_back(static_cast<uint32_t>(starts[i + 1] - starts[i]));
  return frequencies;
}

TEST(DistributionTest, FrequenciesAreThoseOfTheRule) {
  for (const size_t size : std::initializer_list<size_t>{1, 2, 63, 64, 65, 512, 513, 5000}) {
    Distribution distribution(static_cast<uint32_t>(size));
    EXPECT_EQ(distribution.precision_bits(), size <= 512 ? 20 : 24);
    for (const std::vector<int32_t>& logits : HardLogits(size)) {
      distribution.Assign(logits, /*keep_logits=*/true);
      const std::vector<uint32_t> got = FrequenciesOf(distribution, size);
      ASSERT_EQ(got, SlowFrequencies(logits, distribution.precision_bits())) << size;
      ASSERT_OK(CheckFrequencies(got, distribution.precision_bits()));
    }
  }
}

TEST(DistributionTest, IntervalsAndSearchesAgreeWithTheTable) {
  for (const size_t size : std::initializer_list<size_t>{1, 75, 300, 1000}) {
    Distribution distribution(static_cast<uint32_t>(size));
    for (const std::vector<int32_t>& logits : HardLogits(size)) {
      distribution.Assign(logits, /*keep_logits=*/true);
      const std::vector<uint32_t> frequencies = FrequenciesOf(distribution, size);
      uint32_t start = 0;
      for (SymbolId symbol = 0; symbol < size; ++symbol) {
        const SymbolInterval want = {start, frequencies[symbol]};
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
