// ContextTable: bit histories of half-byte contexts, found by hash.
//
//   line, 64 bytes   4 checks | 4 slots of 15 states (core/predict/adaptive/bit_history.h)
//
// A slot holds the states of the 15 nodes that the decisions of half a byte can reach: node 1 for the first bit, then
// 2 * node + bit. The hash names a line and a check; a context lies in the slot of its line whose check is equal, and
// takes the slot with the least evidence when there is none. Two contexts of equal line and check share a slot.
//
// Thread-safety: none. Copies are independent: places are offsets, not addresses. Memory: 64 * 2^lines_log2 bytes.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/huge_pages.h"

namespace clm {

class ContextTable {
 public:
  static constexpr size_t kLineBytes = 64;

  explicit ContextTable(int lines_log2) : states_(kLineBytes << lines_log2) {}

  void Reset() { std::fill(states_.begin(), states_.end(), uint8_t{0}); }

  size_t line_count() const { return states_.size() / kLineBytes; }

  // Starts to bring a line to the cache. Requires line < line_count(), here and below.
  void Prefetch(size_t line) const { __builtin_prefetch(&states_[line * kLineBytes]); }

  // The place of the context's slot; claims one where there is none.
  size_t Find(size_t line, uint8_t check) {
    uint8_t* const bytes = &states_[line * kLineBytes];
    const uint32_t checks =
        uint32_t{bytes[0]} | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
    const uint32_t difference = checks ^ (check * 0x01010101U);
    // Marks the highest bit of the lowest zero byte; what it marks above that one is not looked at.
    const uint32_t equal = (difference - 0x01010101U) & ~difference & 0x80808080U;
    const size_t slot = equal != 0 ? static_cast<size_t>(std::countr_zero(equal)) / 8 : Claim(bytes, check);
    return line * kLineBytes + kSlots + slot * kNodes - 1;
  }

  // The state of node n, 1 to 15, of the slot at place p is states()[p + n].
  uint8_t* states() { return states_.data(); }

 private:
  static constexpr size_t kSlots = 4;  // in a line
  static constexpr size_t kNodes = 15;
  static_assert(kSlots * (1 + kNodes) == kLineBytes);

  // The slot whose first decision has the least evidence, emptied.
  static size_t Claim(uint8_t* line, uint8_t check) {
    size_t weakest = 0;
    for (size_t slot = 1; slot < kSlots; ++slot) {
      if (line[kSlots + slot * kNodes] < line[kSlots + weakest * kNodes]) weakest = slot;
    }
    line[weakest] = check;
    std::fill_n(line + kSlots + weakest * kNodes, kNodes, uint8_t{0});
    return weakest;
  }

  std::vector<uint8_t, HugePageAllocator<uint8_t>> states_;  // lines begin at multiples of their size
};

}  // namespace clm
