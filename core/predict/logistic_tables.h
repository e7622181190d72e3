// Integer logistic functions: probabilities to the logistic domain and back, by table.
//
//   probability  16 bits: 65536 stands for 1; tables give values in [16, 65520]
//   stretched    ln(p / (1 - p)) in units of 1/256, within [-2047, 2047]
//   wide         the same function further out: stretched within [-4095, 4095], probabilities within [1, 65535]
//
// The tables are computed by the compiler with integer arithmetic alone, so they are equal on every platform.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace clm {

inline constexpr int kMaxStretched = 2047;
inline constexpr int kMinProbability16 = 16;
inline constexpr int kMaxProbability16 = 65536 - kMinProbability16;

namespace logistic_internal {

constexpr size_t Index(int value) { return static_cast<size_t>(value); }

// Entry i is 65536 / (1 + e^(-(i - 2048) / 256)), clamped.
constexpr std::array<uint16_t, 4096> MakeSquashTable() {
  constexpr uint64_t kOne = uint64_t{1} << 32;
  constexpr uint64_t kStep = 4278222805;  // e^(-1/256) * 2^32
  std::array<uint16_t, 4096> table{};
  uint64_t power = kOne;  // e^(-distance / 256)
  for (int distance = 0; distance <= 2048; ++distance) {
    const uint64_t upper = (65536 * kOne + (kOne + power) / 2) / (kOne + power);
    const int clamped = std::min(static_cast<int>(upper), kMaxProbability16);
    if (distance < 2048) table[Index(2048 + distance)] = static_cast<uint16_t>(clamped);
    table[Index(2048 - distance)] = static_cast<uint16_t>(65536 - clamped);
    power = (power * kStep + kOne / 2) >> 32;
  }
  return table;
}

inline constexpr std::array<uint16_t, 4096> kSquashTable = MakeSquashTable();

// Entry i is the smallest x whose squash reaches the middle of bucket i of 4096.
constexpr std::array<int16_t, 4096> MakeStretchTable() {
  std::array<int16_t, 4096> table{};
  int x = -kMaxStretched;
  for (int i = 0; i < 4096; ++i) {
    while (x < kMaxStretched && kSquashTable[Index(x + 2048)] < 16 * i + 8) ++x;
    table[Index(i)] = static_cast<int16_t>(x);
  }
  return table;
}

inline constexpr std::array<int16_t, 4096> kStretchTable = MakeStretchTable();

// Entry i is 65536 / (1 + e^(-(i - 4096) / 256)), within [1, 65535].
constexpr std::array<uint16_t, 8192> MakeWideSquashTable() {
  constexpr uint64_t kOne = uint64_t{1} << 32;
  constexpr uint64_t kStep = 4278222805;  // e^(-1/256) * 2^32
  std::array<uint16_t, 8192> table{};
  uint64_t power = kOne;  // e^(-distance / 256)
  for (int distance = 0; distance <= 4096; ++distance) {
    const uint64_t upper = (65536 * kOne + (kOne + power) / 2) / (kOne + power);
    const int clamped = std::min(static_cast<int>(upper), 65535);
    if (distance < 4096) table[Index(4096 + distance)] = static_cast<uint16_t>(clamped);
    table[Index(4096 - distance)] = static_cast<uint16_t>(65536 - clamped);
    power = (power * kStep + kOne / 2) >> 32;
  }
  return table;
}

inline constexpr std::array<uint16_t, 8192> kWideSquashTable = MakeWideSquashTable();

}  // namespace logistic_internal

// Requires -2048 <= stretched < 2048.
inline int Squash(int stretched) { return logistic_internal::kSquashTable[logistic_internal::Index(stretched + 2048)]; }
// Requires -4096 <= stretched < 4096.
inline int WideSquash(int stretched) {
  return logistic_internal::kWideSquashTable[logistic_internal::Index(stretched + 4096)];
}
// Requires 0 <= probability12 < 4096.
inline int Stretch12(int probability12) {
  return logistic_internal::kStretchTable[logistic_internal::Index(probability12)];
}

}  // namespace clm
