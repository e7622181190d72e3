// CounterRng: random numbers that are a pure function of (seed, purpose, index, draw number).
//
// Sampling, shuffling, splitting and initialisation key their generator by what they decide about (a document, a step,
// a parameter), so the result does not depend on thread count, shard count, batch size or restarts. Source: Philox
// 4x32-10, Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
//
// Determinism: same on every platform. Thread-safety: a value type; not shared between threads.
#pragma once

#include <array>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace clm {

// Philox 4x32-10: ten rounds on a 128-bit counter with a 64-bit key; words in the paper's order. The block function of
// CounterRng.
std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

class CounterRng {
 public:
  // `purpose` is a short constant name ("shuffle", "init", "sample"); streams of different purposes are independent.
  // `index` is the thing decided about: a document number, a step, a position.
  // The key is the first 8 bytes, as two little-endian words, of SHA-256 over "<seed in decimal>:<purpose>".
  // Construction costs one digest (about a microsecond): one generator per thing, not per draw.
  CounterRng(uint64_t seed, absl::string_view purpose, uint64_t index);

  uint32_t NextU32();
  uint64_t NextU64();
  // Uniform in [0, 1), a multiple of 2^-53.
  double NextDouble();
  // Uniform in [0, bound), without modulo bias. Requires bound > 0.
  uint64_t NextBelow(uint64_t bound);

 private:
  void Refill();

  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_;  // {block low, block high, index low, index high}
  std::array<uint32_t, 4> block_{};
  int used_ = 4;  // words of block_ already handed out
};

}  // namespace clm
