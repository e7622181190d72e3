// Determinism: process-wide settings of LibTorch under which a run repeats bit for bit on the same machine, device and
// thread count.
#pragma once

#include "absl/status/status.h"

namespace clm {

// Deterministic algorithms only, TF32 off, `threads` threads inside an operation (0: as many as this process may use).
// INVALID_ARGUMENT outside [0, 1024]. Call it from the thread that will compute, before computing; the number of
// threads is a setting of the calling thread and of those it starts.
absl::Status ConfigureDeterminism(int threads);

// The threads an operation uses now.
int ComputeThreads();

}  // namespace clm
