#include "core/engine/distribution.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "core/engine/fixed_point.h"
#include "core/engine/kernels/row_kernels.h"
#include "core/engine/tables.h"

namespace clm {
namespace {

namespace kernels = engine_kernels;

// floor(w * spread / sum) for every w <= 2^24 as floor(w * m / 2^k) with m = ceil(2^k * spread / sum): exact because
// w * (m * sum - 2^k * spread) < 2^24 * sum <= 2^k (Granlund & Montgomery 1994, theorem 4.2).
kernels::Divisor DivisorOf(uint64_t spread, uint64_t sum) {
  const int sum_bits = BitWidth(sum);
  const Uint128 scaled = Uint128{spread} << (kWeightBits + sum_bits);
  const auto m = static_cast<uint64_t>((scaled + sum - 1) / sum);
  return {.high = static_cast<uint32_t>(m >> kWeightBits),
          .low = static_cast<uint32_t>(m & ((uint64_t{1} << kWeightBits) - 1)),
          .shift = sum_bits};
}

// Sorts by logit descending, id ascending.
uint64_t KeyOf(int32_t logit, size_t id) {
  return static_cast<uint64_t>(~(static_cast<uint32_t>(logit) ^ 0x80000000U)) << 32 | id;
}

}  // namespace

Distribution::Distribution(uint32_t vocab_size)
    : precision_bits_(PrecisionBitsOf(vocab_size)),
      frequencies_(vocab_size),
      block_starts_((vocab_size + kBlock - 1) / kBlock + 1) {}

void Distribution::Assign(std::span<const int32_t> logits, bool keep_logits) {
  const size_t size = frequencies_.size();
  if (keep_logits) logits_.assign(logits.begin(), logits.end());
  const int32_t largest = kernels::Max(logits.data(), size);
  largest_ = static_cast<SymbolId>(std::find(logits.begin(), logits.end(), largest) - logits.begin());
  const uint64_t sum = kernels::LogitWeights(logits.data(), largest, frequencies_.data(), size);
  const uint64_t total = uint64_t{1} << precision_bits_;
  const kernels::Divisor divisor = DivisorOf(total - size, sum);
  uint64_t used = 0;
  for (size_t block = 0; block + 1 < block_starts_.size(); ++block) {
    block_starts_[block] = static_cast<uint32_t>(used);
    const size_t begin = block * kBlock;
    used += kernels::WeightsToFrequencies(frequencies_.data() + begin, divisor, std::min(kBlock, size - begin));
  }
  const auto rest = static_cast<uint32_t>(total - used);
  frequencies_[largest_] += rest;
  block_starts_.back() = static_cast<uint32_t>(used);
  for (size_t block = largest_ / kBlock + 1; block < block_starts_.size(); ++block) block_starts_[block] += rest;
}

SymbolInterval Distribution::Interval(SymbolId symbol) const {
  const size_t block = symbol / kBlock;
  const auto begin = frequencies_.begin() + static_cast<ptrdiff_t>(block * kBlock);
  const auto end = frequencies_.begin() + static_cast<ptrdiff_t>(symbol);
  return {std::accumulate(begin, end, block_starts_[block]), frequencies_[symbol]};
}

SymbolId Distribution::Find(uint32_t slot, SymbolInterval& interval) const {
  const auto above = std::upper_bound(block_starts_.begin(), block_starts_.end(), slot);
  const auto block = static_cast<size_t>(above - block_starts_.begin()) - 1;
  uint32_t start = block_starts_[block];
  size_t symbol = block * kBlock;
  while (slot - start >= frequencies_[symbol]) start += frequencies_[symbol++];
  interval = {start, frequencies_[symbol]};
  return static_cast<SymbolId>(symbol);
}

uint32_t Distribution::RankOf(SymbolId symbol) const {
  return kernels::CountBefore(logits_.data(), logits_.size(), logits_[symbol], symbol);
}

SymbolId Distribution::SymbolOfRank(uint32_t rank) const {
  if (rank == 0) return largest_;
  // With the (rank + 1)-th largest of the blocks' maxima as a bar, at least rank + 1 logits reach it, and few more.
  const size_t blocks = block_starts_.size() - 1;
  int32_t bar = INT32_MIN;
  if (rank < blocks) {
    std::vector<int32_t> block_largest(blocks);
    for (size_t block = 0; block < blocks; ++block) {
      const size_t begin = block * kBlock;
      block_largest[block] = kernels::Max(logits_.data() + begin, std::min(kBlock, logits_.size() - begin));
    }
    const auto at = block_largest.begin() + rank;
    std::nth_element(block_largest.begin(), at, block_largest.end(), std::greater<>());
    bar = *at;
  }
  std::vector<uint64_t> candidates;
  for (size_t id = 0; id < logits_.size(); ++id) {
    if (logits_[id] >= bar) candidates.push_back(KeyOf(logits_[id], id));
  }
  const auto at = candidates.begin() + rank;
  std::nth_element(candidates.begin(), at, candidates.end());
  return static_cast<SymbolId>(*at & 0xFFFFFFFF);
}

}  // namespace clm
