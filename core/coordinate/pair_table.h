// PairTable: the lookup of one layer, from two adjacent symbols to the coordinate they fold to.
//
// Most adjacent symbols of a text are not in a layer, above all in a thin one, so a bitmap of 16 bits per pair answers
// most questions from the first-level cache. What passes it is searched in a bucket of sorted keys: however the pairs
// were chosen, a lookup costs at most O(log pairs).
//
// Thread-safety: immutable. Determinism: same on every platform.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/coordinate/symbol_pair.h"

namespace clm {

class PairTable {
 public:
  // Pair i maps to first_id + i. Requires distinct pairs.
  PairTable(std::span<const SymbolPair> pairs, SymbolId first_id);
  // Pair i maps to ids[i]. Requires distinct pairs and as many ids.
  PairTable(std::span<const SymbolPair> pairs, std::span<const SymbolId> ids);

  // kNoSymbol if the pair is not in the table.
  SymbolId Find(SymbolId left, SymbolId right) const {
    const uint64_t key = PairKey(left, right);
    const uint64_t hash = Hash(key);
    const uint64_t bit = hash >> filter_shift_;
    if ((filter_[bit >> 6] >> (bit & 63) & 1) == 0) return kNoSymbol;
    return FindInBucket(key, static_cast<size_t>(hash >> bucket_shift_));
  }

  // True if `id` is the left symbol of some pair: it could still fold with what comes next.
  bool HasLeft(SymbolId id) const;

  size_t size() const { return keys_.size(); }
  // The smallest id; 0 in an empty table.
  SymbolId first_id() const { return first_id_; }

 private:
  // Multiplication moves entropy up and the high bits choose; the constant is 2^64 over the golden ratio. Left ids sit
  // in the upper half of a key, where a multiplication would lose them, so they are first mixed down.
  static uint64_t Hash(uint64_t key) { return (key ^ key >> 32 ^ key >> 17) * 0x9E3779B97F4A7C15U; }

  SymbolId FindInBucket(uint64_t key, size_t bucket) const;

  SymbolId first_id_ = 0;
  int filter_shift_ = 63;
  int bucket_shift_ = 63;
  std::vector<uint64_t> filter_;
  std::vector<uint32_t> offsets_;  // bucket b is [offsets_[b], offsets_[b + 1])
  std::vector<uint64_t> keys_;     // by bucket, ascending inside
  std::vector<SymbolId> ids_;      // parallel to keys_
  std::vector<SymbolId> lefts_;    // ascending, distinct
};

}  // namespace clm
