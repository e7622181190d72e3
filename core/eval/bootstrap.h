// Document bootstrap: how far a ratio of sums over documents might have come out otherwise.
//
// Each resample draws as many documents as there are, with replacement, and takes sum(nats) / sum(bytes) of the drawn;
// the interval spans the middle 95 % of the resampled values (percentiles by linear interpolation). A resample without
// any byte is left out. Above kMaxUnits documents, document i joins unit i mod kMaxUnits and units are drawn instead,
// which bounds the cost and keeps the interval's width. Draws are keyed by (seed, "bootstrap", resample). Source: Efron
// and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
//
// Determinism: same on every platform. Cost: resamples x min(documents, kMaxUnits). Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"

namespace clm {

struct BootstrapOptions {
  size_t resamples = 1'000;  // range [20, 100000]
  double confidence = 0.95;  // inside (0, 1)
  uint64_t seed = 0;

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

struct Interval {
  double low = 0;
  double high = 0;

  bool Contains(double value) const { return low <= value && value <= high; }
};

inline constexpr size_t kMaxBootstrapUnits = 20'000;

// Interval of sum(nats) / (sum(original_bytes) ln 2). Requires spans of equal, positive length, some byte, valid
// options.
Interval BootstrapBitsPerByte(std::span<const double> nats, std::span<const uint64_t> original_bytes,
                              const BootstrapOptions& options);
// Interval of the difference candidate - baseline of the same documents: both are resampled with the same draws.
Interval BootstrapBitsPerByteDelta(std::span<const double> baseline_nats, std::span<const double> candidate_nats,
                                   std::span<const uint64_t> original_bytes, const BootstrapOptions& options);

}  // namespace clm
