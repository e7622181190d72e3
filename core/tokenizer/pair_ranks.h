// PairRanks: from two adjacent tokens to a small number, for the loops that ask about every pair of a text.
//
// Most pairs are not in the table: a bit for each hash value answers for them from a near cache.
//
// Thread-safety: immutable but for Add(). Memory: about 32 bytes per pair, and a quarter of that for the bits.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/hash/hash.h"
#include "core/base/types.h"
#include "core/tokenizer/bpe_vocab.h"

namespace clm {

class PairRanks {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // Room for `pairs` calls of Add().
  explicit PairRanks(size_t pairs) : multiplier_(absl::HashOf(pairs) | 1) {
    const int bits = std::max(4, static_cast<int>(std::bit_width(2 * pairs)));
    shift_ = 64 - bits;
    entries_.assign(size_t{1} << bits, 0);
    filter_.assign((size_t{1} << (bits + kFilterBits)) / 64, 0);
  }

  // Requires 0 < rank < 2^24 and ids below kMaxBpeVocabSize, each pair once.
  void Add(SymbolId left, SymbolId right, uint32_t rank) {
    const uint64_t pair = PairOf(left, right);
    const size_t bit = HashOf(pair) >> (shift_ - kFilterBits);
    filter_[bit / 64] |= uint64_t{1} << (bit % 64);
    size_t place = HashOf(pair) >> shift_;
    while (entries_[place] != 0) place = (place + 1) & (entries_.size() - 1);
    entries_[place] = pair | rank;
  }

  // What was added for the pair, or kNone.
  uint32_t Find(SymbolId left, SymbolId right) const {
    const uint64_t pair = PairOf(left, right);
    const uint64_t hash = HashOf(pair);
    const size_t bit = hash >> (shift_ - kFilterBits);
    if ((filter_[bit / 64] >> (bit % 64) & 1) == 0) return kNone;
    for (size_t place = hash >> shift_; entries_[place] != 0; place = (place + 1) & (entries_.size() - 1)) {
      if ((entries_[place] ^ pair) >> 24 == 0) return static_cast<uint32_t>(entries_[place] & 0xFFFFFF);
    }
    return kNone;
  }

 private:
  static constexpr int kFilterBits = 3;  // of the filter per place of entries_, as a power of two
  static_assert(kMaxBpeVocabSize <= 1U << 20 && kMaxBpeMerges < 1U << 24);

  static uint64_t PairOf(SymbolId left, SymbolId right) { return uint64_t{left} << 44 | uint64_t{right} << 24; }
  uint64_t HashOf(uint64_t pair) const { return (pair >> 24) * multiplier_; }

  // Open addressing with linear probing: left << 44 | right << 24 | rank; 0: free.
  int shift_ = 0;
  uint64_t multiplier_;  // of the process: no file can choose its collisions
  std::vector<uint64_t> entries_;
  // A bit for each hash value of a pair.
  std::vector<uint64_t> filter_;
};

}  // namespace clm
