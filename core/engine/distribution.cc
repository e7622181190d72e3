#include "core/engine/distribution.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "core/engine/fixed_point.h"
#include "core/engine/kernels/row_kernels.h"
#include "core/engine/tables.h"

namespace clm {
namespace {

namespace kernels = engine_kernels;

// Sorts by logit descending, id ascending.
uint64_t KeyOf(int32_t logit, size_t id) {
  return static_cast<uint64_t>(~(static_cast<uint32_t>(logit) ^ 0x80000000U)) << 32 | id;
}

}  // namespace

Distribution::Distribution(uint32_t vocab_size)
    : precision_bits_(PrecisionBitsOf(vocab_size)),
      weights_(vocab_size),
      block_sums_((vocab_size + kBlock - 1) / kBlock + 1) {}

void Distribution::Assign(std::span<const int32_t> logits, bool keep_logits) {
  const size_t size = weights_.size();
  if (keep_logits) logits_.assign(logits.begin(), logits.end());
  const int32_t largest = kernels::Max(logits.data(), size);
  kernels::LogitWeights(logits.data(), largest, weights_.data(), block_sums_.data(), size);
  block_sums_.back() = 0;
  uint64_t sum = 0;
  for (uint64_t& block : block_sums_) sum += std::exchange(block, sum);
  // The largest weight is 2^24, so m is at most 1 and m times the sum below 2^63.
  const uint64_t spread = (uint64_t{1} << precision_bits_) - size;
  share_ = (spread << kShareBits) / sum;
}

SymbolInterval Distribution::Interval(SymbolId symbol) const {
  const size_t block = symbol / kBlock;
  const auto begin = weights_.begin() + static_cast<ptrdiff_t>(block * kBlock);
  const auto end = weights_.begin() + static_cast<ptrdiff_t>(symbol);
  const uint64_t before = std::accumulate(begin, end, block_sums_[block]);
  const uint32_t start = StartOf(symbol, before);
  return {start, StartOf(symbol + size_t{1}, before + weights_[symbol]) - start};
}

SymbolId Distribution::Find(uint32_t slot, SymbolInterval& interval) const {
  size_t block = 0;
  for (size_t beyond = block_sums_.size() - 1; beyond - block > 1;) {
    const size_t middle = block + (beyond - block) / 2;
    (StartOf(middle * kBlock, block_sums_[middle]) <= slot ? block : beyond) = middle;
  }
  size_t symbol = block * kBlock;
  uint64_t before = block_sums_[block];
  uint32_t start = StartOf(symbol, before);
  while (true) {
    before += weights_[symbol];
    const uint32_t end = StartOf(symbol + 1, before);
    if (slot < end) {
      interval = {start, end - start};
      return static_cast<SymbolId>(symbol);
    }
    start = end;
    ++symbol;
  }
}

void Distribution::Frequencies(std::span<uint32_t> out) const {
  uint64_t before = 0;
  uint32_t start = 0;
  for (size_t symbol = 0; symbol < weights_.size(); ++symbol) {
    before += weights_[symbol];
    const uint32_t end = StartOf(symbol + 1, before);
    out[symbol] = end - std::exchange(start, end);
  }
}

uint32_t Distribution::RankOf(SymbolId symbol) const {
  return kernels::CountBefore(logits_.data(), logits_.size(), logits_[symbol], symbol);
}

SymbolId Distribution::SymbolOfRank(uint32_t rank) const {
  // With the (rank + 1)-th largest of the blocks' maxima as a bar, at least rank + 1 logits reach it, and few more.
  const size_t blocks = block_sums_.size() - 1;
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
