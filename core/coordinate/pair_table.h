// PairTable: the lookup of one layer, from two adjacent symbols to the coordinate they fold to.
//
// Where few pairs of a text are in the layer, a bitmap of 16 bits per pair answers most questions from the first-level
// cache. The rest, and all of them where most pairs are in it, take two loads and no branch: small base vocabularies
// have a square table, others a perfect hash (Belazzougui, Botelho, Dietzfelbinger, "Hash, displace, and compress", ESA
// 2009). However the pairs were chosen, a lookup never searches.
//
// Thread-safety: immutable. Determinism: same answers on every platform. Memory: at most 52 bytes per pair, and in thin
// tables one byte for each id up to the largest; 1 MiB where the table is square.
#pragma once

#include <algorithm>
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
    if (is_square()) return FindInSquare(left, right);
    const uint64_t key = PairKey(left, right);
    const uint64_t hash = Hash(key, seed_);
    return PassesFilter(hash) ? FindHashed(key, hash) : kNoSymbol;
  }

  // Without asking the bitmap first, which is faster where most pairs are in the table. Requires !is_square().
  SymbolId FindDirectly(SymbolId left, SymbolId right) const {
    const uint64_t key = PairKey(left, right);
    return FindHashed(key, Hash(key, seed_));
  }

  bool is_square() const { return !square_.empty(); }
  // Requires is_square(); any ids will do.
  SymbolId FindInSquare(SymbolId left, SymbolId right) const {
    return square_[std::min(left, side_ - 1) * size_t{side_} + std::min(right, side_ - 1)];
  }

  // A thin table also knows parts of its pairs: bit 0 of parts()[id & parts_mask()] is set if `id` is the left of some
  // pair, bit 1 if it is the right of one. Other ids may share the place. Empty unless is_thin().
  bool is_thin() const { return !parts_.empty(); }
  std::span<const uint8_t> parts() const { return parts_; }
  uint32_t parts_mask() const { return static_cast<uint32_t>(parts_.size() - 1); }

  // True if `id` is the left symbol of some pair: it could still fold with what comes next.
  bool HasLeft(SymbolId id) const;

  size_t size() const { return size_; }
  // The smallest id; 0 in an empty table.
  SymbolId first_id() const { return first_id_; }

 private:
  struct Slot {
    uint64_t key = ~uint64_t{0};  // differs from every key: ids are below 2^31 - 1
    SymbolId id = kNoSymbol;
  };

  // Multiplication moves entropy up and the high bits choose; the constant is 2^64 over the golden ratio. Left ids sit
  // in the upper half of a key, where a multiplication would lose them, so they are first mixed down.
  static uint64_t Hash(uint64_t key, uint64_t seed) {
    const uint64_t seeded = key ^ seed;
    return (seeded ^ seeded >> 32 ^ seeded >> 17) * 0x9E3779B97F4A7C15U;
  }
  static size_t SlotOf(uint64_t hash, uint32_t displacement, int shift) {
    return static_cast<size_t>(((hash ^ displacement) * 0xD6E8FEB86659FD93U) >> shift);
  }

  bool PassesFilter(uint64_t hash) const {
    const uint64_t bit = hash >> filter_shift_;
    return (filter_[bit >> 6] >> (bit & 63) & 1) != 0;
  }
  SymbolId FindHashed(uint64_t key, uint64_t hash) const {
    const size_t slot = SlotOf(hash, displacements_[hash >> bucket_shift_], slot_shift_);
    // kNoSymbol is all ones. A branch here would be taken by chance.
    return slots_[slot].id | (SymbolId{0} - SymbolId{slots_[slot].key != key});
  }

  void FillSquare(std::span<const SymbolPair> pairs, std::span<const SymbolId> ids);
  void FillHash(std::span<const SymbolPair> pairs, std::span<const SymbolId> ids);
  // False if the seed does not spread the keys well enough.
  bool TryToPlace(std::span<const uint64_t> keys, std::span<const SymbolId> ids);
  // Puts all of `wanted`, the keys of one bucket, into free slots and says by which displacement; false when there is
  // none.
  bool PlaceBucket(std::span<const Slot> wanted, uint32_t& displacement);
  void FillParts(std::span<const SymbolPair> pairs, SymbolId max_id);

  size_t size_ = 0;
  SymbolId first_id_ = 0;
  uint64_t seed_ = 0;
  int filter_shift_ = 63;
  int bucket_shift_ = 63;
  int slot_shift_ = 63;
  SymbolId side_ = 0;
  std::vector<SymbolId> square_;  // side_ by side_; the last row and column stand for every id behind
  std::vector<uint64_t> filter_;
  std::vector<uint32_t> displacements_;  // by bucket
  std::vector<Slot> slots_;
  std::vector<uint8_t> parts_;   // by id, the last one for every id behind; empty unless thin
  std::vector<SymbolId> lefts_;  // ascending, distinct
};

}  // namespace clm
