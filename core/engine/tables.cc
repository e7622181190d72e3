#include "core/engine/tables.h"

#include <bit>

namespace clm {
namespace {

constexpr int kFractionBits = 60;
constexpr uint64_t kUnit = uint64_t{1} << kFractionBits;
constexpr int kLog2Bits = 56;
// 2^64 / (2 pi)
constexpr uint64_t kTurnPerRadian = 2935890503282001226U;

constexpr uint64_t Multiply(uint64_t a, uint64_t b) { return static_cast<uint64_t>((Uint128{a} * b) >> kFractionBits); }

// log2(x) in units of 2^-56 for 1 <= x < 2^64, by repeated squaring.
uint64_t Log2(double x) {
  const auto bits = std::bit_cast<uint64_t>(x);
  constexpr uint64_t kHidden = uint64_t{1} << 52;
  const uint64_t whole = (bits >> 52) - 1023;
  uint64_t y = ((bits & (kHidden - 1)) | kHidden) << (kFractionBits - 52);  // [1, 2)
  uint64_t fraction = 0;
  for (int digit = kLog2Bits - 1; digit >= 0; --digit) {
    y = Multiply(y, y);
    if (y < 2 * kUnit) continue;
    fraction |= uint64_t{1} << digit;
    y >>= 1;
  }
  return whole << kLog2Bits | fraction;
}

// Square root of x below 4, both in units of 2^-60.
uint64_t Root(uint64_t x) {
  uint64_t root = 0;
  const Uint128 wanted = Uint128{x} << kFractionBits;
  for (uint64_t bit = uint64_t{1} << 61; bit != 0; bit >>= 1) {
    const Uint128 tried = Uint128{root} + bit;
    if (tried * tried <= wanted) root += bit;
  }
  return root;
}

// 2^-x in units of 2^-60 for 0 <= x < 1 in units of 2^-56: the product of 2^-(1/2), 2^-(1/4), ... where x has the bit.
uint64_t PowerOfHalf(uint64_t x) {
  uint64_t power = kUnit;
  uint64_t factor = kUnit / 2;
  for (int digit = kLog2Bits - 1; digit >= 0; --digit) {
    factor = Root(factor);
    if ((x >> digit & 1) != 0) power = Multiply(power, factor);
  }
  return power;
}

}  // namespace

uint64_t RotaryStep(double theta, uint32_t pair, uint32_t half) {
  const auto exponent = static_cast<uint64_t>(Uint128{Log2(theta)} * pair / half);
  const uint64_t power = PowerOfHalf(exponent & ((uint64_t{1} << kLog2Bits) - 1));
  return Multiply(kTurnPerRadian, power) >> (exponent >> kLog2Bits);
}

}  // namespace clm
