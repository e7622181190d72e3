// Dot: exact int8 x int16 matrix products, the inner loop of the engine.
//
//   out[m][n] = sum over k of a[m][k] * w[n][k]
//
// Weights (and cached keys and values) are int8 in panels: panel p holds rows 16 p .. 16 p + 15 as [k / 4][16][4], so
// that one 64-byte load brings four columns of sixteen rows. Every target gives the same integers: nothing is rounded
// and, by the caller's proof that sum |a w| < 2^31, nothing overflows.
//
//   scalar        any processor
//   avx2          widens to 16 bits: the 8-bit multiply-add of AVX2 saturates
//   avx512_vnni   8-bit dot products; an int16 that needs it is cut into two bytes (256 * high + low)
//
// The library that the other kernels are written with lacks the 8-bit dot product in the version we build on, so this
// file uses intrinsics.
//
// Thread-safety: functions without state; callers bring scratch memory.
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
  size_t groups = 0;        // k / 4, rounded up; what is beyond k is zero in `a`
  // Sums of the rows of w, [panel_count * 16]; null when no value of `a` is negative.
  const int32_t* row_sums = nullptr;
  const int16_t* a = nullptr;  // [rows][a_stride]; groups * 4 values each are read
  size_t a_stride = 0;
  size_t rows = 0;
  // Values of `a` are in [-128, 127] ([0, 255] without row_sums) when false, in [-32768, 32767] when true.
  bool wide = false;
  int32_t* out = nullptr;  // [rows][out_stride], panel_count * 16 values each
  size_t out_stride = 0;
  uint8_t* scratch = nullptr;  // DotScratchBytes(rows, groups), 64-byte aligned
};

constexpr size_t DotScratchBytes(size_t rows, size_t groups) { return 2 * rows * groups * kPanelColumns; }

using DotFunction = void (*)(const DotArgs&);
DotFunction DotOf(DotTarget target);

}  // namespace clm
