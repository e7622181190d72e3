// Bins of counts: eight to an octave, so that the counts of one bin differ by an eighth at most.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace clm {

inline constexpr int kCountBinBits = 3;
inline constexpr uint64_t kCountBinsPerOctave = uint64_t{1} << kCountBinBits;
inline constexpr size_t kCountBins = size_t{64 - kCountBinBits + 1} << kCountBinBits;

// Does not fall when the count rises.
inline size_t BinOfCount(uint64_t count) {
  if (count < kCountBinsPerOctave) return count;
  const int octave = 63 - std::countl_zero(count);
  return (static_cast<size_t>(octave - kCountBinBits + 1) << kCountBinBits) +
         ((count >> (octave - kCountBinBits)) % kCountBinsPerOctave);
}

// The least count of a bin. Requires bin < kCountBins.
inline uint64_t LeastOfBin(size_t bin) {
  if (bin < kCountBinsPerOctave) return bin;
  return (kCountBinsPerOctave + bin % kCountBinsPerOctave) << ((bin >> kCountBinBits) - 1);
}

}  // namespace clm
