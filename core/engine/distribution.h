// Distribution: one lane's logits as integer frequencies, with the questions that coders ask.
//
//   w_i = 2^(24 - (max - l_i) / 2^16)             0 where that is below 1
//   f_i = 1 + floor(w_i * (2^P - V) / sum(w))     what is left of 2^P goes to the largest, the lowest id among equals
//
// Frequencies are kept with the sums of blocks of 64, so that an interval or a search costs one block.
//
// A value type; const functions may run concurrently.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/types.h"
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
  std::span<const uint32_t> frequencies() const { return frequencies_; }
  std::span<const int32_t> logits() const { return logits_; }
  uint32_t RankOf(SymbolId symbol) const;
  SymbolId SymbolOfRank(uint32_t rank) const;

 private:
  static constexpr size_t kBlock = 64;

  int precision_bits_;
  SymbolId largest_ = 0;
  std::vector<uint32_t> frequencies_;   // [V]
  std::vector<uint32_t> block_starts_;  // [blocks + 1] sums of the frequencies before each block
  std::vector<int32_t> logits_;         // [V]
};

}  // namespace clm
