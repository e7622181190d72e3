// Device: where a model computes, chosen when the program runs.
//
// The same binary serves hosts with and without a GPU: LibTorch's CUDA half is a library of its own that registers
// itself when loaded, so `auto` tries to load it and falls back to the CPU, `cuda` insists.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace clm {

enum class DeviceKind : unsigned char { kCpu, kCuda };

// "auto", "cpu" or "cuda" to what this process can use. INVALID_ARGUMENT for another name; FAILED_PRECONDITION with the
// loader's reason when "cuda" is asked for and not usable. Loads the CUDA half once per process; thread-safe.
absl::StatusOr<DeviceKind> ResolveDevice(absl::string_view name);

// "cpu" or "cuda".
absl::string_view DeviceName(DeviceKind device);

}  // namespace clm
