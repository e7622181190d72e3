// PairIndex: an open-addressing table from a pair of tokens to its count and the list of its places.
//
// Made for MergeLearner: nothing is ever erased but everything, and most look-ups miss. Thread-safety: as a vector's.
// Memory: 32 to 64 bytes per pair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/types.h"

namespace clm {

// left << 32 | right: of equals, the lower key goes first.
using TokenPairKey = uint64_t;
inline TokenPairKey KeyOfPair(SymbolId left, SymbolId right) { return TokenPairKey{left} << 32 | right; }
inline SymbolId LeftOf(TokenPairKey key) { return static_cast<SymbolId>(key >> 32); }
inline SymbolId RightOf(TokenPairKey key) { return static_cast<SymbolId>(key); }

// Well mixed in the high bits. The keys are small numbers that training makes up one after the other: a text that
// steers them into collisions would have to order them by rank.
inline uint64_t MixPair(TokenPairKey key) {
  key ^= key >> 32;
  key *= 0x9E3779B97F4A7C15ULL;
  key ^= key >> 29;
  return key * 0xBF58476D1CE4E5B9ULL;
}

class PairIndex {
 public:
  struct Pair {
    uint64_t count = 0;
    uint32_t begin = 0;   // of its places, in the learner's pool
    uint32_t places = 0;  // how many
  };

  PairIndex() { Clear(); }

  // Forgets everything and gives the memory back.
  void Clear() {
    keys_.assign(kLeastSlots, kEmpty);
    pairs_.assign(kLeastSlots, {});
    size_ = 0;
    shift_ = kLeastShift;
  }
  size_t size() const { return size_; }
  size_t memory_bytes() const { return keys_.size() * (sizeof(TokenPairKey) + sizeof(Pair)); }

  Pair* Find(TokenPairKey key) {
    const size_t slot = SlotOf(key);
    return keys_[slot] == key ? &pairs_[slot] : nullptr;
  }
  // The pair of `key`, new (all zero) or not. Valid until the next call.
  Pair& FindOrAdd(TokenPairKey key) {
    size_t slot = SlotOf(key);
    if (keys_[slot] == key) return pairs_[slot];
    if (2 * (size_ + 1) > keys_.size()) {
      Grow();
      slot = SlotOf(key);
    }
    keys_[slot] = key;
    ++size_;
    return pairs_[slot];
  }
  template <typename Visit>
  void ForEach(const Visit& visit) {
    for (size_t slot = 0; slot < keys_.size(); ++slot) {
      if (keys_[slot] != kEmpty) visit(keys_[slot], pairs_[slot]);
    }
  }

 private:
  static constexpr TokenPairKey kEmpty = ~TokenPairKey{0};
  static constexpr size_t kLeastSlots = 1024;
  static constexpr int kLeastShift = 54;

  // Where the key is, or would be.
  size_t SlotOf(TokenPairKey key) const {
    size_t slot = MixPair(key) >> shift_;
    while (keys_[slot] != key && keys_[slot] != kEmpty) slot = (slot + 1) & (keys_.size() - 1);
    return slot;
  }
  void Grow() {
    std::vector<TokenPairKey> keys(2 * keys_.size(), kEmpty);
    std::vector<Pair> pairs(2 * keys_.size());
    keys.swap(keys_);
    pairs.swap(pairs_);
    --shift_;
    for (size_t slot = 0; slot < keys.size(); ++slot) {
      if (keys[slot] == kEmpty) continue;
      const size_t to = SlotOf(keys[slot]);
      keys_[to] = keys[slot];
      pairs_[to] = pairs[slot];
    }
  }

  std::vector<TokenPairKey> keys_;
  std::vector<Pair> pairs_;
  size_t size_ = 0;
  int shift_ = kLeastShift;
};

}  // namespace clm
