// Dot: exact matrix products of bytes, the inner loop of the engine.
//
//   out[m][n] = sum over k of (a[m][k] - offset) * w[n][k]
//
// Activations are unsigned bytes, as the 8-bit dot product of processors takes them: signed values stand 128 too high
// (offset 128), values that are never negative as they are (offset 0). Weights (and cached keys and values) are int8 in
// panels: panel p holds rows 16 p .. 16 p + 15 as [k / 4][16][4], so that one 64-byte load brings four columns of
// sixteen rows. Every target gives the same integers: nothing is rounded and, by the caller's proof that the sum of
// 256 |w| is below 2^31, nothing overflows.
//
//   scalar        any processor
//   avx2          widens to 16 bits: the 8-bit multiply-add of AVX2 saturates
//   avx512_vnni   8-bit dot products
//
// The library that the other kernels are written with lacks the 8-bit dot product in the version we build on, so this
// file uses intrinsics.
//
// Thread-safety: functions without state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"

namespace clm {

inline constexpr size_t kPanelRows = 16;
inline constexpr size_t kPanelColumns = 4;  // columns per group

enum class DotTarget : uint8_t { kScalar = 0, kAvx2 = 1, kAvx512Vnni = 2 };

// "scalar", "avx2", "avx512_vnni"
absl::string_view DotTargetName(DotTarget target);
// What this processor can run, slowest first; never empty.
std::vector<DotTarget> SupportedDotTargets();

struct DotArgs {
  const int8_t* panels = nullptr;  // 64-byte aligned
  size_t panel_count = 0;
  size_t panel_stride = 0;  // bytes from one panel to the next, a multiple of 64
  size_t groups = 0;        // k / 4, rounded up; beyond k either the weights or all a - offset are 0
  // Sums of the rows of w, [panel_count * 16], when the offset is 128; null when it is 0.
  const int32_t* row_sums = nullptr;
  const uint8_t* a = nullptr;  // [rows][a_stride]; groups * 4 bytes each are read
  size_t a_stride = 0;
  size_t rows = 0;
  int32_t* out = nullptr;  // [rows][out_stride], panel_count * 16 values each
  size_t out_stride = 0;
};

// What signed activations are stored above.
inline constexpr int kActivationOffset = 128;

using DotFunction = void (*)(const DotArgs&);
DotFunction DotOf(DotTarget target);

}  // namespace clm
