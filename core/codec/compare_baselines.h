// CompareBaselines: how small the tools that everybody has make the same bytes.
//
// gzip -9, xz -9e and zstd -19, each as its command-line program would write a file from a pipe of known length: one
// thread, with its own header and checksum. Computed in memory, nothing is kept but the sizes.
//
// Thread-safety: free function without state. Memory: about 700 MiB for xz's dictionary of 64 MiB, less for smaller
// data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"
#include "core/base/clock.h"

namespace clm {

inline constexpr size_t kMaxBaselineBytes = size_t{64} << 20;

struct BaselineSize {
  std::string name;  // "gzip -9", "xz -9e", "zstd -19"
  uint64_t size_bytes = 0;
  double seconds = 0;  // on one thread
};

// In that order. RESOURCE_EXHAUSTED above kMaxBaselineBytes or when a library finds no memory; CANCELLED or
// DEADLINE_EXCEEDED from `cancel`, asked every 64 KiB.
absl::StatusOr<std::vector<BaselineSize>> CompareBaselines(absl::string_view data, const CancellationToken& cancel,
                                                           const Clock& clock = SystemClock());

}  // namespace clm
