// MeasureDecodedThroughput: decoded bytes per second of generation.
//
//   bytes of decoded NEW text / seconds of generation
//
// The prompt's bytes and the time to feed it are left out (its time is reported apart), decoding to text is in, and the
// number is the median of several runs after warm-up. A run on a device must wait for the device before it returns.
// Thread-safety: may run on any thread; one measurement at a time, or they disturb each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/base/clock.h"

namespace clm {

struct ThroughputOptions {
  size_t runs = 5;          // range [1, 1000]; 5 or more for a number to publish
  size_t warm_up_runs = 1;  // range [0, 1000]; not counted

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

struct Throughput {
  double median_bytes_per_second = 0;
  double median_prefill_seconds = 0;
  std::vector<double> bytes_per_second;  // [runs], in order
  uint64_t decoded_bytes = 0;            // of all counted runs
};

// One generation: feeds the prompt, calls `prefill_done` once, generates, and returns the bytes of new text.
using DecodeRun = std::function<absl::StatusOr<uint64_t>(const std::function<void()>& prefill_done)>;

// FAILED_PRECONDITION: a run decoded no bytes, took no time on the clock, or did not call `prefill_done`. Otherwise the
// error of the first run that failed.
absl::StatusOr<Throughput> MeasureDecodedThroughput(const DecodeRun& run, const ThroughputOptions& options,
                                                    const Clock& clock, const CancellationToken& cancel = {});

}  // namespace clm
