#include "core/engine/kernels/dot.h"

#include <algorithm>
#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#define CLM_DOT_X86 1
#endif

namespace clm {
namespace {

constexpr size_t kGroupBytes = kPanelRows * kPanelColumns;

void DotScalar(const DotArgs& args) {
  for (size_t row = 0; row < args.rows; ++row) {
    const int16_t* a = args.a + row * args.a_stride;
    for (size_t panel = 0; panel < args.panel_count; ++panel) {
      const int8_t* w = args.panels + panel * args.panel_stride;
      std::array<int32_t, kPanelRows> sums{};
      for (size_t group = 0; group < args.groups; ++group, w += kGroupBytes) {
        for (size_t i = 0; i < kPanelRows; ++i) {
          for (size_t j = 0; j < kPanelColumns; ++j) sums[i] += a[4 * group + j] * w[4 * i + j];
        }
      }
      std::copy(sums.begin(), sums.end(), args.out + row * args.out_stride + panel * kPanelRows);
    }
  }
}

#ifdef CLM_DOT_X86

#define CLM_AVX2 __attribute__((target("avx2")))
#define CLM_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
// Small arrays of vectors live in registers only when the loops over them disappear; g++ manages 16 accumulators so.
#if defined(__clang__)
#define CLM_UNROLL _Pragma("clang loop unroll(full)")
#else
#define CLM_UNROLL _Pragma("GCC unroll 16")
#endif

// ---- AVX2: int16 multiply-add, two columns at a time ----------------------------------------------------------------

// Rows i and i + 1 of `args` against one panel. An accumulator holds, for four rows of the panel, the sums over even
// and odd pairs of columns.
template <size_t kRows>
CLM_AVX2 void Avx2Block(const DotArgs& args, size_t row, size_t panel) {
  __m256i sums[kRows][4];
  for (auto& of_row : sums) {
    for (__m256i& sum : of_row) sum = _mm256_setzero_si256();
  }
  const int8_t* w = args.panels + panel * args.panel_stride;
  const int16_t* a = args.a + row * args.a_stride;
  for (size_t group = 0; group < args.groups; ++group, w += kGroupBytes, a += kPanelColumns) {
    __m256i columns[kRows];
    for (size_t r = 0; r < kRows; ++r) {
      int64_t four = 0;
      __builtin_memcpy(&four, a + r * args.a_stride, sizeof(four));
      columns[r] = _mm256_set1_epi64x(four);
    }
    for (size_t part = 0; part < 4; ++part) {
      const __m256i weights = _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(w) + part));
      for (size_t r = 0; r < kRows; ++r) {
        sums[r][part] = _mm256_add_epi32(sums[r][part], _mm256_madd_epi16(weights, columns[r]));
      }
    }
  }
  const __m256i order = _mm256_setr_epi32(0, 1, 4, 5, 2, 3, 6, 7);
  for (size_t r = 0; r < kRows; ++r) {
    int32_t* out = args.out + (row + r) * args.out_stride + panel * kPanelRows;
    for (size_t half = 0; half < 2; ++half) {
      const __m256i both = _mm256_hadd_epi32(sums[r][2 * half], sums[r][2 * half + 1]);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out) + half, _mm256_permutevar8x32_epi32(both, order));
    }
  }
}

CLM_AVX2 void DotAvx2(const DotArgs& args) {
  size_t row = 0;
  for (; row + 2 <= args.rows; row += 2) {
    for (size_t panel = 0; panel < args.panel_count; ++panel) Avx2Block<2>(args, row, panel);
  }
  if (row == args.rows) return;
  for (size_t panel = 0; panel < args.panel_count; ++panel) Avx2Block<1>(args, row, panel);
}

// ---- AVX-512 VNNI: unsigned x signed bytes, four columns at a time
// ----------------------------------------------------
//
// Activations become unsigned planes: a + 128 when narrow; (a >> 8) + 128 and a & 255 when wide. The 128 that was added
// costs 128 * (sum of the row of w), which is taken off at the end.

CLM_VNNI void MakeNarrowPlane(const int16_t* a, size_t count, int offset, uint8_t* plane) {
  for (size_t i = 0; i < count; ++i) plane[i] = static_cast<uint8_t>(a[i] + offset);
}

CLM_VNNI void MakeWidePlanes(const int16_t* a, size_t count, int offset, uint8_t* high, uint8_t* low) {
  for (size_t i = 0; i < count; ++i) {
    high[i] = static_cast<uint8_t>((a[i] >> 8) + offset);
    low[i] = static_cast<uint8_t>(a[i] & 255);
  }
}

// The rows of `args` as planes: row i narrow, rows 2 i (high) and 2 i + 1 (low) wide.
CLM_VNNI size_t MakePlanes(const DotArgs& args) {
  const size_t width = args.groups * kPanelColumns;
  const int offset = args.row_sums == nullptr ? 0 : 128;
  for (size_t row = 0; row < args.rows; ++row) {
    const int16_t* a = args.a + row * args.a_stride;
    if (args.wide) {
      uint8_t* high = args.scratch + 2 * row * width;
      MakeWidePlanes(a, width, offset, high, high + width);
    } else {
      MakeNarrowPlane(a, width, offset, args.scratch + row * width);
    }
  }
  return args.wide ? 2 * args.rows : args.rows;
}

// The plain intrinsic reads a vector that was never set, which the compiler then warns about.
CLM_VNNI inline __m512i ShiftLeft(__m512i value, unsigned bits) { return _mm512_maskz_slli_epi32(0xFFFF, value, bits); }

// What a block multiplies: planes from `a` on, panels from `w` on.
struct VnniOperands {
  const uint8_t* a;
  size_t width;  // bytes of a plane
  const int8_t* w;
  size_t stride;  // bytes of a panel
};

// sums += four columns of planes x panels, into accumulator `stream` of each sum.
template <size_t kPlanes, size_t kPanels, size_t kStreams>
CLM_VNNI __attribute__((always_inline)) inline void VnniGroup(const VnniOperands& at, size_t stream,
                                                              __m512i (&sums)[kPlanes][kPanels][kStreams]) {
  __m512i weights[kPanels];
  CLM_UNROLL for (size_t p = 0; p < kPanels; ++p) {
    weights[p] = _mm512_load_si512(at.w + p * at.stride);
    // The panels of the next block: each is too short a stream for the processor to see it coming.
    if constexpr (kPlanes >= 4) _mm_prefetch(at.w + (p + kPanels) * at.stride, _MM_HINT_T0);
  }
  CLM_UNROLL for (size_t r = 0; r < kPlanes; ++r) {
    int32_t four = 0;
    __builtin_memcpy(&four, at.a + r * at.width, sizeof(four));
    const __m512i columns = _mm512_set1_epi32(four);
    CLM_UNROLL for (size_t p = 0; p < kPanels; ++p) {
      sums[r][p][stream] = _mm512_dpbusd_epi32(sums[r][p][stream], columns, weights[p]);
    }
  }
}

// Sums of `kPlanes` planes from `plane` on against `kPanels` panels from `panel` on. A dot product takes several cycles
// but one can start every cycle: where there are few sums, each is spread over `kStreams` accumulators.
template <size_t kPlanes, size_t kPanels, size_t kStreams, bool kWide>
CLM_VNNI void VnniBlock(const DotArgs& args, size_t plane, size_t panel) {
  __m512i sums[kPlanes][kPanels][kStreams];
  CLM_UNROLL for (size_t r = 0; r < kPlanes; ++r) {
    CLM_UNROLL for (size_t p = 0; p < kPanels; ++p) {
      CLM_UNROLL for (size_t i = 0; i < kStreams; ++i) sums[r][p][i] = _mm512_setzero_si512();
    }
  }
  const size_t width = args.groups * kPanelColumns;
  VnniOperands at = {args.scratch + plane * width, width, args.panels + panel * args.panel_stride, args.panel_stride};
  size_t group = 0;
  for (; group + kStreams <= args.groups; group += kStreams) {
    CLM_UNROLL for (size_t i = 0; i < kStreams; ++i) {
      VnniGroup(at, i, sums);
      at.a += kPanelColumns;
      at.w += kGroupBytes;
    }
  }
  if constexpr (kStreams > 1) {
    for (; group < args.groups; ++group) {
      VnniGroup(at, 0, sums);
      at.a += kPanelColumns;
      at.w += kGroupBytes;
    }
  }
  int32_t* out = args.out + plane / (kWide ? 2 : 1) * args.out_stride + panel * kPanelRows;
  CLM_UNROLL for (size_t p = 0; p < kPanels; ++p) {
    __m512i added = _mm512_setzero_si512();
    if (args.row_sums != nullptr) {
      added = ShiftLeft(_mm512_loadu_si512(args.row_sums + (panel + p) * kPanelRows), 7);
    }
    CLM_UNROLL for (size_t r = 0; r < kPlanes; r += kWide ? 2 : 1) {
      CLM_UNROLL for (size_t i = 1; i < kStreams; ++i) sums[r][p][0] = _mm512_add_epi32(sums[r][p][0], sums[r][p][i]);
      __m512i sum = _mm512_sub_epi32(sums[r][p][0], added);
      if constexpr (kWide) {
        sum = ShiftLeft(sum, 8);
        CLM_UNROLL for (size_t i = 0; i < kStreams; ++i) sum = _mm512_add_epi32(sum, sums[r + 1][p][i]);
      }
      _mm512_storeu_si512(out + r / (kWide ? 2 : 1) * args.out_stride + p * kPanelRows, sum);
    }
  }
}

// All panels for `kPlanes` planes, `kPanels` at a time.
template <size_t kPlanes, size_t kPanels, bool kWide>
CLM_VNNI void VnniPanels(const DotArgs& args, size_t plane) {
  constexpr size_t kFew = kPlanes <= 2 ? 4 : 1;
  size_t panel = 0;
  for (; panel + kPanels <= args.panel_count; panel += kPanels) {
    VnniBlock<kPlanes, kPanels, 1, kWide>(args, plane, panel);
  }
  for (; panel + 2 <= args.panel_count; panel += 2) VnniBlock<kPlanes, 2, kFew, kWide>(args, plane, panel);
  if (panel < args.panel_count) VnniBlock<kPlanes, 1, kFew, kWide>(args, plane, panel);
}

// Blocks of 8 planes within groups of panels that stay in the first-level cache.
template <bool kWide>
CLM_VNNI void VnniPlanes(const DotArgs& args, size_t planes) {
  constexpr size_t kPanelsAtOnce = 6;
  DotArgs part = args;
  for (size_t panel = 0; panel < args.panel_count; panel += kPanelsAtOnce) {
    part.panels = args.panels + panel * args.panel_stride;
    part.panel_count = std::min(kPanelsAtOnce, args.panel_count - panel);
    part.out = args.out + panel * kPanelRows;
    if (args.row_sums != nullptr) part.row_sums = args.row_sums + panel * kPanelRows;
    size_t plane = 0;
    for (; plane + 8 <= planes; plane += 8) VnniPanels<8, 2, kWide>(part, plane);
    if (plane + 4 <= planes) {
      VnniPanels<4, 4, kWide>(part, plane);
      plane += 4;
    }
    if (plane + 2 <= planes) {
      VnniPanels<2, 6, kWide>(part, plane);
      plane += 2;
    }
    if constexpr (!kWide) {
      if (plane < planes) VnniPanels<1, 6, kWide>(part, plane);
    }
  }
}

CLM_VNNI void DotVnni(const DotArgs& args) {
  const size_t planes = MakePlanes(args);
  if (args.wide) {
    if (planes == 2) return VnniPanels<2, 6, true>(args, 0);
    return VnniPlanes<true>(args, planes);
  }
  if (planes == 1) return VnniPanels<1, 8, false>(args, 0);
  VnniPlanes<false>(args, planes);
}

#endif  // CLM_DOT_X86

bool HasAvx2() {
#ifdef CLM_DOT_X86
  return __builtin_cpu_supports("avx2") != 0;
#else
  return false;
#endif
}

bool HasVnni() {
#ifdef CLM_DOT_X86
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512vnni") != 0;
#else
  return false;
#endif
}

}  // namespace

absl::string_view DotTargetName(DotTarget target) {
  switch (target) {
    case DotTarget::kScalar:
      return "scalar";
    case DotTarget::kAvx2:
      return "avx2";
    case DotTarget::kAvx512Vnni:
      return "avx512_vnni";
  }
  return "unknown";
}

std::vector<DotTarget> SupportedDotTargets() {
  std::vector<DotTarget> targets = {DotTarget::kScalar};
  if (HasAvx2()) targets.push_back(DotTarget::kAvx2);
  if (HasVnni()) targets.push_back(DotTarget::kAvx512Vnni);
  return targets;
}

DotFunction DotOf(DotTarget target) {
#ifdef CLM_DOT_X86
  if (target == DotTarget::kAvx512Vnni) return &DotVnni;
  if (target == DotTarget::kAvx2) return &DotAvx2;
#endif
  static_cast<void>(target);
  return &DotScalar;
}

}  // namespace clm
