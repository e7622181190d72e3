// Distribution: one lane's logits as integer frequencies, with the questions that coders ask.
//
//   w_i     = 2^(24 - (max - l_i) / 2^16)             0 where that is below 1
//   start_i = i + floor(m * (w_0 + ... + w_(i-1)))     with m = (2^P - V) / sum(w), cut to 39 fraction bits
//
// Symbol i has the slots from start_i up to start_(i+1), at least one; what the cut leaves of 2^P is the last symbol's.
// Weights are kept with the sums before each block of 64, so that no table has to be made for a few questions.
//
// A value type; const functions may run concurrently.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/types.h"
#include "core/engine/kernels/row_kernels.h"
#include "core/entropy/cdf.h"

namespace clm {

// P for a vocabulary: 20 up to 512 symbols, 24 above.
constexpr int PrecisionBitsOf(uint32_t vocab_size) { return vocab_size <= 512 ? 20 : 24; }

class Distribution {
 public:
  // Requires 1 <= vocab_size < 2^24.
  explicit Distribution(uint32_t vocab_size);

  // `logits` [V]: log2 probabilities up to a constant, in units of 2^-16, below 2^30 in size. Without `keep_logits` the
  // questions about logits and ranks must not be asked.
  void Assign(std::span<const int32_t> logits, bool keep_logits);

  int precision_bits() const { return precision_bits_; }
  SymbolInterval Interval(SymbolId symbol) const;
  SymbolId Find(uint32_t slot, SymbolInterval& interval) const;
  // Of all symbols; `out` has V elements.
  void Frequencies(std::span<uint32_t> out) const;
  std::span<const int32_t> logits() const { return logits_; }
  uint32_t RankOf(SymbolId symbol) const;
  SymbolId SymbolOfRank(uint32_t rank) const;

 private:
  static constexpr size_t kBlock = engine_kernels::kWeightBlock;
  static constexpr int kShareBits = 39;

  // Where symbol `index` starts, with `before` the weights before it.
  uint32_t StartOf(size_t index, uint64_t before) const {
    if (index == weights_.size()) return uint32_t{1} << precision_bits_;
    return static_cast<uint32_t>(index + ((before * share_) >> kShareBits));
  }

  int precision_bits_;
  uint64_t share_ = 0;                // m
  std::vector<uint32_t> weights_;     // [V]
  std::vector<uint64_t> block_sums_;  // [blocks + 1] of the weights before each block
  std::vector<int32_t> logits_;       // [V]
};

}  // namespace clm
