// Refinement: what really came when the mixer said this much, in a context.
//
// Each context has 33 points over the stretched probability, 128 units apart; a probability is interpolated between two
// and the nearer one learns. Starts as the identity.
//
// Thread-safety: none. Memory: 66 bytes per context.
// Source: "adaptive probability map" in M. Mahoney, "Adaptive weighing of context models for lossless data
// compression", 2005.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/huge_pages.h"
#include "core/predict/logistic_tables.h"

namespace clm {

class Refinement {
 public:
  explicit Refinement(size_t contexts) : points_(contexts * kPoints) { Reset(); }

  void Reset() {
    for (size_t i = 0; i < kPoints; ++i) {
      const int stretched = (static_cast<int>(i) - 16) * kDistance;
      points_[i] = static_cast<uint16_t>(WideSquash(stretched));
    }
    for (size_t done = kPoints; done < points_.size(); done += std::min(done, points_.size() - done)) {
      std::copy_n(points_.begin(), std::min(done, points_.size() - done),
                  points_.begin() + static_cast<std::ptrdiff_t>(done));
    }
    nearest_ = 0;
  }

  // Starts to bring a context to the cache.
  void Prefetch(size_t context) const {
    __builtin_prefetch(&points_[context * kPoints]);
    __builtin_prefetch(&points_[context * kPoints + kPoints - 1]);
  }
  // The probability of a one, 16 bits, in place of squash(stretched). Requires context < contexts.
  int Refine(size_t context, int stretched) {
    const int offset = std::clamp(stretched, -kMaxStretched, kMaxStretched) + 16 * kDistance;
    const int fraction = offset % kDistance;
    const size_t point = context * kPoints + static_cast<size_t>(offset / kDistance);
    nearest_ = fraction >= kDistance / 2 ? point + 1 : point;
    return (points_[point] * (kDistance - fraction) + points_[point + 1] * fraction) / kDistance;
  }
  // Learns from the bit that Refine() spoke about.
  void Update(int bit) {
    uint16_t& point = points_[nearest_];
    point = static_cast<uint16_t>(point + (((bit != 0 ? 65535 : 0) - point) >> kRateShift));
  }

 private:
  static constexpr size_t kPoints = 33;
  static constexpr int kDistance = 128;
  static constexpr int kRateShift = 6;

  std::vector<uint16_t, HugePageAllocator<uint16_t>> points_;
  size_t nearest_ = 0;
};

}  // namespace clm
