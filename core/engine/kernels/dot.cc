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
constexpr int kOffsetBits = 7;
static_assert(kActivationOffset == 1 << kOffsetBits);

// sums += the products of four columns of one row of activations with sixteen rows of weights.
void AddGroup(const uint8_t* a, int offset, const int8_t* w, std::array<int32_t, kPanelRows>& sums) {
  for (size_t i = 0; i < kPanelRows; ++i) {
    for (size_t j = 0; j < kPanelColumns; ++j) sums[i] += (a[j] - offset) * w[kPanelColumns * i + j];
  }
}

void DotScalar(const DotArgs& args) {
  const int offset = args.row_sums == nullptr ? 0 : kActivationOffset;
  for (size_t row = 0; row < args.rows; ++row) {
    const uint8_t* a = args.a + row * args.a_stride;
    for (size_t panel = 0; panel < args.panel_count; ++panel) {
      const int8_t* w = args.panels + panel * args.panel_stride;
      std::array<int32_t, kPanelRows> sums{};
      for (size_t group = 0; group < args.groups; ++group) {
        AddGroup(a + group * kPanelColumns, offset, w + group * kGroupBytes, sums);
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
  const uint8_t* a = args.a + row * args.a_stride;
  for (size_t group = 0; group < args.groups; ++group, w += kGroupBytes, a += kPanelColumns) {
    __m256i columns[kRows];
    for (size_t r = 0; r < kRows; ++r) {
      int32_t four = 0;
      __builtin_memcpy(&four, a + r * args.a_stride, sizeof(four));
      columns[r] = _mm256_cvtepu8_epi16(_mm_set1_epi32(four));
    }
    for (size_t part = 0; part < 4; ++part) {
      const __m256i weights = _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(w) + part));
      for (size_t r = 0; r < kRows; ++r) {
        sums[r][part] = _mm256_add_epi32(sums[r][part], _mm256_madd_epi16(weights, columns[r]));
      }
    }
  }
  const __m256i order = _mm256_setr_epi32(0, 1, 4, 5, 2, 3, 6, 7);
  __m256i added[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  if (args.row_sums != nullptr) {
    const auto* row_sums = reinterpret_cast<const __m256i*>(args.row_sums + panel * kPanelRows);
    for (size_t half = 0; half < 2; ++half) {
      added[half] = _mm256_slli_epi32(_mm256_loadu_si256(row_sums + half), kOffsetBits);
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    int32_t* out = args.out + (row + r) * args.out_stride + panel * kPanelRows;
    for (size_t half = 0; half < 2; ++half) {
      const __m256i both = _mm256_hadd_epi32(sums[r][2 * half], sums[r][2 * half + 1]);
      const __m256i sum = _mm256_sub_epi32(_mm256_permutevar8x32_epi32(both, order), added[half]);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out) + half, sum);
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

// ---- AVX-512 VNNI: unsigned x signed bytes, four columns at a time --------------------------------------------------

// The plain intrinsic reads a vector that was never set, which the compiler then warns about.
CLM_VNNI inline __m512i ShiftLeft(__m512i value, unsigned bits) { return _mm512_maskz_slli_epi32(0xFFFF, value, bits); }

// What a block multiplies: rows of activations from `a` on, panels from `w` on.
struct VnniOperands {
  const uint8_t* a;
  size_t a_stride;
  const int8_t* w;
  size_t w_stride;  // bytes of a panel
};

// sums += four columns of rows x panels, into accumulator `stream` of each sum.
template <size_t kRows, size_t kPanels, size_t kStreams>
CLM_VNNI __attribute__((always_inline)) inline void VnniGroup(const VnniOperands& at, size_t stream,
                                                              __m512i (&sums)[kRows][kPanels][kStreams]) {
  __m512i weights[kPanels];
  CLM_UNROLL for (size_t p = 0; p < kPanels; ++p) {
    weights[p] = _mm512_load_si512(at.w + p * at.w_stride);
    // The panels of the next block: each is too short a stream for the processor to see it coming.
    if constexpr (kRows >= 4) _mm_prefetch(at.w + (p + kPanels) * at.w_stride, _MM_HINT_T0);
  }
  CLM_UNROLL for (size_t r = 0; r < kRows; ++r) {
    int32_t four = 0;
    __builtin_memcpy(&four, at.a + r * at.a_stride, sizeof(four));
    const __m512i columns = _mm512_set1_epi32(four);
    CLM_UNROLL for (size_t p = 0; p < kPanels; ++p) {
      sums[r][p][stream] = _mm512_dpbusd_epi32(sums[r][p][stream], columns, weights[p]);
    }
  }
}

// Sums of `kRows` rows from `row` on against `kPanels` panels from `panel` on. A dot product takes several cycles but
// one can start every cycle: where there are few sums, each is spread over `kStreams` accumulators.
template <size_t kRows, size_t kPanels, size_t kStreams>
CLM_VNNI void VnniBlock(const DotArgs& args, size_t row, size_t panel) {
  __m512i sums[kRows][kPanels][kStreams];
  CLM_UNROLL for (size_t r = 0; r < kRows; ++r) {
    CLM_UNROLL for (size_t p = 0; p < kPanels; ++p) {
      CLM_UNROLL for (size_t i = 0; i < kStreams; ++i) sums[r][p][i] = _mm512_setzero_si512();
    }
  }
  VnniOperands at = {args.a + row * args.a_stride, args.a_stride, args.panels + panel * args.panel_stride,
                     args.panel_stride};
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
  int32_t* out = args.out + row * args.out_stride + panel * kPanelRows;
  CLM_UNROLL for (size_t p = 0; p < kPanels; ++p) {
    __m512i added = _mm512_setzero_si512();
    if (args.row_sums != nullptr) {
      added = ShiftLeft(_mm512_loadu_si512(args.row_sums + (panel + p) * kPanelRows), kOffsetBits);
    }
    CLM_UNROLL for (size_t r = 0; r < kRows; ++r) {
      CLM_UNROLL for (size_t i = 1; i < kStreams; ++i) sums[r][p][0] = _mm512_add_epi32(sums[r][p][0], sums[r][p][i]);
      _mm512_storeu_si512(out + r * args.out_stride + p * kPanelRows, _mm512_sub_epi32(sums[r][p][0], added));
    }
  }
}

// All panels for `kRows` rows, `kPanels` at a time.
template <size_t kRows, size_t kPanels>
CLM_VNNI void VnniPanels(const DotArgs& args, size_t row) {
  constexpr size_t kFew = kRows <= 2 ? 4 : 1;
  size_t panel = 0;
  for (; panel + kPanels <= args.panel_count; panel += kPanels) VnniBlock<kRows, kPanels, 1>(args, row, panel);
  for (; panel + 2 <= args.panel_count; panel += 2) VnniBlock<kRows, 2, kFew>(args, row, panel);
  if (panel < args.panel_count) VnniBlock<kRows, 1, kFew>(args, row, panel);
}

// Blocks of 8 rows within groups of panels that stay in the first-level cache.
CLM_VNNI void DotVnni(const DotArgs& args) {
  if (args.rows == 1) return VnniPanels<1, 8>(args, 0);
  constexpr size_t kPanelsAtOnce = 6;
  DotArgs part = args;
  for (size_t panel = 0; panel < args.panel_count; panel += kPanelsAtOnce) {
    part.panels = args.panels + panel * args.panel_stride;
    part.panel_count = std::min(kPanelsAtOnce, args.panel_count - panel);
    part.out = args.out + panel * kPanelRows;
    if (args.row_sums != nullptr) part.row_sums = args.row_sums + panel * kPanelRows;
    size_t row = 0;
    for (; row + 8 <= args.rows; row += 8) VnniPanels<8, 2>(part, row);
    if (row + 4 <= args.rows) {
      VnniPanels<4, 4>(part, row);
      row += 4;
    }
    if (row + 2 <= args.rows) {
      VnniPanels<2, 6>(part, row);
      row += 2;
    }
    if (row < args.rows) VnniPanels<1, 6>(part, row);
  }
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
