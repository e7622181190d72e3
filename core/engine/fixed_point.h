// Fixed-point arithmetic of the engine: rounding shifts, roots and scales, in integers alone.
//
// Constants and free functions; the same on every platform.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace clm {

__extension__ using Uint128 = unsigned __int128;

// Bits that `value` takes; 0 for 0.
constexpr int BitWidth(uint64_t value) { return static_cast<int>(std::bit_width(value)); }

// Nearest multiple of 2^-shift, halves up. Requires 0 <= shift <= 62 and |value| < 2^62.
constexpr int64_t RoundShift(int64_t value, int shift) {
  return shift == 0 ? value : (value + (int64_t{1} << (shift - 1))) >> shift;
}

// floor(sqrt(value)), one bit at a time.
constexpr uint32_t IntegerSqrt(uint64_t value) {
  uint64_t root = 0;
  for (uint64_t bit = uint64_t{1} << 31; bit != 0; bit >>= 1) {
    const uint64_t tried = root + bit;
    if (tried * tried <= value) root = tried;
  }
  return static_cast<uint32_t>(root);
}

// A positive number mantissa * 2^exponent with mantissa in [2^14, 2^15), or 0 with mantissa 0.
struct Scale {
  int32_t mantissa = 0;
  int exponent = 0;

  friend bool operator==(const Scale&, const Scale&) = default;
};

// numerator / denominator * 2^exponent, cut to 15 bits and at most one unit of them too small. Requires both below
// 2^62; if one is 0, so is the result.
constexpr Scale MakeScale(uint64_t numerator, uint64_t denominator, int exponent) {
  if (numerator == 0 || denominator == 0) return {};
  // A quotient of 15 to 17 bits.
  const int up = 16 + BitWidth(denominator) - BitWidth(numerator);
  const Uint128 scaled = up >= 0 ? Uint128{numerator} << up : Uint128{numerator};
  const Uint128 below = up >= 0 ? Uint128{denominator} : Uint128{denominator} << -up;
  auto quotient = static_cast<uint64_t>(scaled / below);
  const int cut = BitWidth(quotient) - 15;
  quotient >>= cut;
  return {static_cast<int32_t>(quotient), exponent - up + cut};
}

// How far to shift right so that values up to `largest` take at most `bits` bits; never negative.
constexpr int ShiftToBits(uint64_t largest, int bits) { return std::max(0, BitWidth(largest) - bits); }

}  // namespace clm
