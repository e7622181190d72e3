// The engine's non-linear functions, in integers alone: polynomials where vectors compute them, tables made by the
// compiler where single values are looked up.
//
//   Exp2Negative   2^-x, by a polynomial
//   Sigmoid        e^-x / (1 + e^-x), by that and a polynomial
//   SineCosine     of parts of a turn, by table and linear interpolation
//   RotaryStep     turns per position of one pair of a rotary embedding
//
// The same on every platform: part of what EngineModel::fingerprint() stands for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/engine/fixed_point.h"

namespace clm {

// ---- 2^-x -------------------------------------------------------------------------------------------------------

inline constexpr int kLogBits = 16;     // fraction bits of logarithms to base 2: logits, attention scores
inline constexpr int kWeightBits = 24;  // 2^-0 is 2^24

// 1 - 2^-f = f * (c0 - f * (c1 - f * (c2 - f * c3))), f in 1/65536: within 6e-5 of 2^-f relatively, exact at 0.
inline constexpr std::array<uint32_t, 4> kExp2Polynomial = {45425, 15725, 3547, 480};

// 2^(24 - x / 65536), 0 where that is below 1. Requires x >= 0.
constexpr uint32_t Exp2Negative(uint32_t x) {
  const uint32_t f = x & 0xFFFF;
  const uint32_t whole = x >> kLogBits;
  uint32_t t = kExp2Polynomial[2] - ((f * kExp2Polynomial[3]) >> 16);
  t = kExp2Polynomial[1] - ((f * t) >> 16);
  t = kExp2Polynomial[0] - ((f * t) >> 16);
  const uint32_t power = (uint32_t{1} << kWeightBits) - ((f * t) >> 8);
  return whole > 31 ? 0 : power >> whole;
}

// ---- sigmoid ----------------------------------------------------------------------------------------------------

inline constexpr int kGateBits = 11;                // fraction bits of the argument
inline constexpr int32_t kMaxGate = (1 << 16) - 2;  // arguments are clamped to +- 32

inline constexpr uint32_t kLog2E15 = 47274;  // log2(e) * 2^15
// 1 / (1 + t) = c0 - t * (c1 - t * (c2 - ...)) in units of 2^-16, within 4e-5 for t in [0, 1].
inline constexpr std::array<uint32_t, 7> kReciprocalPolynomial = {65535, 65479, 64580, 59183, 43763, 21147, 4699};

// sigmoid(x / 2^11) in 1/32768. Requires |x| <= kMaxGate.
constexpr int32_t Sigmoid(int32_t x) {
  const auto size = static_cast<uint32_t>(x < 0 ? -x : x);
  const uint32_t t = Exp2Negative((size * kLog2E15) >> (kGateBits + 15 - kLogBits)) >> (kWeightBits - 15);  // e^-|x|
  uint32_t inverse = kReciprocalPolynomial[5] - ((t * kReciprocalPolynomial[6]) >> 15);
  inverse = kReciprocalPolynomial[4] - ((t * inverse) >> 15);
  inverse = kReciprocalPolynomial[3] - ((t * inverse) >> 15);
  inverse = kReciprocalPolynomial[2] - ((t * inverse) >> 15);
  inverse = kReciprocalPolynomial[1] - ((t * inverse) >> 15);
  inverse = kReciprocalPolynomial[0] - ((t * inverse) >> 15);
  const auto below = static_cast<int32_t>((t * inverse + (1 << 15)) >> 16);  // of -|x|
  return x < 0 ? below : 32768 - below;
}

// ---- sine and cosine --------------------------------------------------------------------------------------------

inline constexpr int kTrigBits = 14;  // 1 is 16384

struct SineCosinePair {
  int16_t sine = 0;
  int16_t cosine = 0;
};

namespace engine_internal {

constexpr size_t Index(uint64_t value) { return static_cast<size_t>(value); }

// Entry i: sin(2 pi i / 1024) * 2^24, for one turn and a quarter.
constexpr std::array<int32_t, 1281> MakeSineTable() {
  constexpr int64_t kOne = int64_t{1} << 30;
  constexpr int64_t kHalfPi = 1686629713;  // pi / 2 * 2^30
  std::array<int32_t, 1281> table{};
  for (int64_t i = 0; i <= 256; ++i) {
    const int64_t x = kHalfPi * i / 256;
    const int64_t square = (x * x) >> 30;
    int64_t sum = 0;  // x (1 - x^2/6 (1 - x^2/20 (1 - x^2/42 ...)))
    for (int64_t n = 8; n >= 1; --n) sum = ((kOne - sum) * (square / (2 * n * (2 * n + 1)))) >> 30;
    const int64_t sine = ((kOne - sum) * x) >> 30;
    table[Index(static_cast<uint64_t>(i))] = static_cast<int32_t>((sine + 32) >> 6);
  }
  for (size_t i = 257; i < table.size(); ++i) {
    table[i] = i <= 512 ? table[512 - i] : (i <= 1024 ? -table[i - 512] : table[i - 1024]);
  }
  return table;
}

inline constexpr std::array<int32_t, 1281> kSineTable = MakeSineTable();

constexpr int16_t SineOf(uint32_t entry, uint32_t fraction) {
  const int64_t low = kSineTable[entry];
  const int64_t high = kSineTable[entry + 1];
  return static_cast<int16_t>(RoundShift((low << 22) + (high - low) * int64_t{fraction}, 22 + 24 - kTrigBits));
}

}  // namespace engine_internal

// Of the angle phase / 2^32 turns.
constexpr SineCosinePair SineCosine(uint32_t phase) {
  const uint32_t entry = phase >> 22;
  const uint32_t fraction = phase & ((uint32_t{1} << 22) - 1);
  if (entry + 256 < 1280) {
    return {engine_internal::SineOf(entry, fraction), engine_internal::SineOf(entry + 256, fraction)};
  }
  return {engine_internal::SineOf(entry, fraction), engine_internal::SineOf(entry + 256 - 1024, fraction)};
}

// theta^(-pair / half) / (2 pi) turns in units of 2^-64. Requires 1 <= theta <= 1e9, pair < half.
uint64_t RotaryStep(double theta, uint32_t pair, uint32_t half);

}  // namespace clm
