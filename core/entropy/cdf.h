// Integer distributions: frequencies that sum to 2^P with every symbol codable, and their cumulative form.
//
// Everything is integer arithmetic, so a table made from the same weights is the same on every machine.
//
// Thread-safety: free functions without state. Ownership: spans are the caller's. Units: P is `precision_bits`, a
// frequency is in units of 2^-P.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"

namespace clm {

// The range of P that the coders accept. The upper end keeps a 64-bit rANS state from overflowing with 32-bit words and
// leaves it 2^7 states per unit of probability.
inline constexpr int kMinPrecisionBits = 8;
inline constexpr int kMaxPrecisionBits = 24;

// The part of [0, 2^P) that belongs to one symbol. Invariant: frequency >= 1, start + frequency <= 2^P.
struct SymbolInterval {
  uint32_t start = 0;
  uint32_t frequency = 0;

  friend bool operator==(const SymbolInterval&, const SymbolInterval&) = default;
};

// Fills frequencies[i] = 1 + floor(weights[i] * (2^P - V) / sum(weights)) for V = weights.size(), then gives what is
// left of 2^P to the symbol of the largest weight, the lowest index among equals. All weights zero counts as all equal.
// Requires 1 <= V <= 2^P, frequencies.size() == V, P in [kMinPrecisionBits, kMaxPrecisionBits].
void NormalizeWeights(std::span<const uint32_t> weights, int precision_bits, std::span<uint32_t> frequencies);

// cumulative[i] = frequencies[0] + ... + frequencies[i - 1]. Requires cumulative.size() == frequencies.size() + 1 and a
// total below 2^32.
void Accumulate(std::span<const uint32_t> frequencies, std::span<uint32_t> cumulative);

// The symbol whose interval holds `slot`: the i with cumulative[i] <= slot < cumulative[i + 1]. O(log V). Requires
// cumulative[0] == 0, a strictly rising table and slot < cumulative.back().
inline size_t FindSymbol(std::span<const uint32_t> cumulative, uint32_t slot) {
  size_t low = 0;
  size_t high = cumulative.size() - 1;
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    if (cumulative[middle] <= slot) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

// INTERNAL, naming symbol or sum, unless every frequency is >= 1 and they sum to 2^P: the check a coder makes of a
// table that somebody else computed.
absl::Status CheckFrequencies(std::span<const uint32_t> frequencies, int precision_bits);

}  // namespace clm
