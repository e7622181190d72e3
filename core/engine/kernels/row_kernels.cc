#include "core/engine/kernels/row_kernels.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/engine/kernels/row_kernels.cc"
#include "hwy/foreach_target.h"  // compiles this file once per instruction set; must come first
#include "hwy/highway.h"
// clang-format on

#include "core/engine/kernels/dot.h"
#include "core/engine/tables.h"

HWY_BEFORE_NAMESPACE();
namespace clm::engine_kernels::HWY_NAMESPACE {

inline int32_t Clamp(int64_t value, int32_t limit) {
  const int64_t low = value < -limit ? -int64_t{limit} : value;
  return static_cast<int32_t>(low > limit ? int64_t{limit} : low);
}

// Half of 2^shift, to round with.
inline int32_t Half32(int shift) { return shift == 0 ? 0 : int32_t{1} << (shift - 1); }
inline int64_t Half64(int shift) { return shift == 0 ? 0 : int64_t{1} << (shift - 1); }

uint32_t MaxAbsLoop(const int32_t* x, size_t count) {
  int32_t largest = 0;
  for (size_t i = 0; i < count; ++i) {
    const int32_t size = x[i] < 0 ? -x[i] : x[i];
    largest = size > largest ? size : largest;
  }
  return static_cast<uint32_t>(largest);
}

int32_t MaxLoop(const int32_t* x, size_t count) {
  int32_t largest = INT32_MIN;
  for (size_t i = 0; i < count; ++i) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

int64_t NormProductsLoop(const int32_t* x, int shift, const int16_t* gain, int32_t* products, size_t count) {
  const int32_t factor = shift < 0 ? int32_t{1} << -shift : 1;
  const int down = shift < 0 ? 0 : shift;
  const int32_t half = Half32(down);
  int64_t sum = 0;
  for (size_t i = 0; i < count; ++i) {
    const int32_t n = (x[i] * factor + half) >> down;
    sum += static_cast<int64_t>(n * n);  // at most 2^30
    products[i] = n * gain[i];
  }
  return sum;
}

void QuantizeLoop(const int32_t* x, int shift, int32_t factor, uint8_t* out, size_t count) {
  const int32_t half = Half32(shift);
  for (size_t i = 0; i < count; ++i) {
    const int32_t scaled = ((x[i] + half) >> shift) * factor;
    out[i] = static_cast<uint8_t>(((scaled + (1 << 23)) >> 24) + kActivationOffset);
  }
}

void QuantizeByShiftLoop(const int32_t* x, int shift, uint8_t* out, size_t count) {
  const int32_t half = Half32(shift);
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<uint8_t>(((x[i] + half) >> shift) + kActivationOffset);
}

inline int32_t Rescaled(int32_t sum, const Rescale& rescale, size_t i, int64_t half) {
  const int32_t factor = rescale.row_scale[i] * rescale.mantissa;
  return Clamp((int64_t{sum} * factor + half) >> rescale.shift, rescale.limit);
}

void RescaleRowLoop(const int32_t* sums, const Rescale& rescale, int32_t* out, size_t count) {
  const Rescale by = rescale;
  const int64_t half = Half64(by.shift);
  for (size_t i = 0; i < count; ++i) out[i] = Rescaled(sums[i], by, i, half);
}

void RescaleAddLoop(const int32_t* sums, const Rescale& rescale, int32_t* residual, size_t count) {
  const Rescale by = rescale;
  const int64_t half = Half64(by.shift);
  for (size_t i = 0; i < count; ++i) {
    const int32_t sum = residual[i] + Rescaled(sums[i], by, i, half);  // both below 2^30
    const int32_t low = sum < -kResidualLimit ? -kResidualLimit : sum;
    residual[i] = low > kResidualLimit ? kResidualLimit : low;
  }
}

void MultiplyRowLoop(const int32_t* x, int32_t mantissa, int shift, int32_t* out, size_t count) {
  const int64_t half = Half64(shift);
  for (size_t i = 0; i < count; ++i) out[i] = Clamp((int64_t{x[i]} * mantissa + half) >> shift, kResidualLimit);
}

void RotateLoop(int32_t* x, size_t heads, size_t half, const int16_t* sine, const int16_t* cosine) {
  constexpr int32_t kHalf = 1 << (kTrigBits - 1);
  for (size_t head = 0; head < heads; ++head, x += 2 * half) {
    int32_t* y = x + half;
    for (size_t j = 0; j < half; ++j) {
      const int32_t a = x[j];
      const int32_t b = y[j];
      x[j] = (a * cosine[j] - b * sine[j] + kHalf) >> kTrigBits;
      y[j] = (b * cosine[j] + a * sine[j] + kHalf) >> kTrigBits;
    }
  }
}

void SiluLoop(const int32_t* gate, int32_t* out, size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] = gate[i] * Sigmoid(gate[i]);
}

void ProductsLoop(const int32_t* a, int shift_a, const int32_t* b, int shift_b, int32_t* out, size_t count) {
  const int32_t half_a = Half32(shift_a);
  const int32_t half_b = Half32(shift_b);
  for (size_t i = 0; i < count; ++i) out[i] = ((a[i] + half_a) >> shift_a) * ((b[i] + half_b) >> shift_b);
}

int32_t ScoresLoop(const int32_t* dots, const int32_t* scale, int shift, int32_t* scores, size_t count) {
  const int64_t half = Half64(shift);
  int32_t largest = -kResidualLimit;
  for (size_t i = 0; i < count; ++i) {
    const int32_t score = Clamp((int64_t{dots[i]} * scale[i] + half) >> shift, kResidualLimit);
    scores[i] = score;
    largest = score > largest ? score : largest;
  }
  return largest;
}

void SoftmaxWeightsLoop(const SoftmaxInput& input, int32_t* scaled, size_t count, SoftmaxSums& sums) {
  const SoftmaxInput in = input;
  int32_t largest_scaled = 0;
  for (size_t begin = 0; begin < count; begin += kWeightBlock) {
    const size_t end = begin + kWeightBlock < count ? begin + kWeightBlock : count;
    uint32_t total = 0;
    for (size_t i = begin; i < end; ++i) {
      const uint32_t weight = Exp2Negative(static_cast<uint32_t>(in.largest - in.scores[i])) >> (kWeightBits - 15);
      const int32_t product = (static_cast<int32_t>(weight) * (in.scale[i] >> in.scale_shift)) >> 15;
      scaled[i] = product;
      largest_scaled = product > largest_scaled ? product : largest_scaled;
      total += weight;
    }
    sums.weights += total;
  }
  const auto largest = static_cast<uint32_t>(largest_scaled);
  if (largest > sums.largest_scaled) sums.largest_scaled = largest;
}

void ScaleWeightsLoop(const int32_t* scaled, int32_t factor, uint8_t* out, size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<uint8_t>((scaled[i] * factor + (1 << 15)) >> 16);
}

inline uint32_t BlockWeights(const int32_t* logits, int32_t largest, uint32_t* weights, size_t count) {
  uint32_t sum = 0;  // at most 64 * 2^24
  for (size_t i = 0; i < count; ++i) {
    const uint32_t weight = Exp2Negative(static_cast<uint32_t>(largest) - static_cast<uint32_t>(logits[i]));
    weights[i] = weight;
    sum += weight;
  }
  return sum;
}

void LogitWeightsLoop(const int32_t* logits, int32_t largest, uint32_t* weights, uint64_t* block_sums, size_t count) {
  size_t i = 0;
  for (; i + kWeightBlock <= count; i += kWeightBlock) {
    block_sums[i / kWeightBlock] = BlockWeights(logits + i, largest, weights + i, kWeightBlock);
  }
  if (i < count) block_sums[i / kWeightBlock] = BlockWeights(logits + i, largest, weights + i, count - i);
}

uint32_t CountBeforeLoop(const int32_t* logits, size_t count, int32_t logit, size_t index) {
  uint32_t before = 0;
  for (size_t i = 0; i < index; ++i) before += logits[i] >= logit ? 1U : 0U;
  for (size_t i = index + 1; i < count; ++i) before += logits[i] > logit ? 1U : 0U;
  return before;
}

}  // namespace clm::engine_kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace clm::engine_kernels {

HWY_EXPORT(MaxAbsLoop);
HWY_EXPORT(MaxLoop);
HWY_EXPORT(NormProductsLoop);
HWY_EXPORT(QuantizeLoop);
HWY_EXPORT(QuantizeByShiftLoop);
HWY_EXPORT(RescaleRowLoop);
HWY_EXPORT(RescaleAddLoop);
HWY_EXPORT(MultiplyRowLoop);
HWY_EXPORT(RotateLoop);
HWY_EXPORT(SiluLoop);
HWY_EXPORT(ProductsLoop);
HWY_EXPORT(ScoresLoop);
HWY_EXPORT(SoftmaxWeightsLoop);
HWY_EXPORT(ScaleWeightsLoop);
HWY_EXPORT(LogitWeightsLoop);
HWY_EXPORT(CountBeforeLoop);

uint32_t MaxAbs(const int32_t* x, size_t count) { return HWY_DYNAMIC_DISPATCH(MaxAbsLoop)(x, count); }

int32_t Max(const int32_t* x, size_t count) { return HWY_DYNAMIC_DISPATCH(MaxLoop)(x, count); }

int64_t NormProducts(const int32_t* x, int shift, const int16_t* gain, int32_t* products, size_t count) {
  return HWY_DYNAMIC_DISPATCH(NormProductsLoop)(x, shift, gain, products, count);
}

void Quantize(const int32_t* x, int shift, int32_t factor, uint8_t* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(QuantizeLoop)(x, shift, factor, out, count);
}

void QuantizeByShift(const int32_t* x, int shift, uint8_t* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(QuantizeByShiftLoop)(x, shift, out, count);
}

void RescaleRow(const int32_t* sums, const Rescale& rescale, int32_t* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(RescaleRowLoop)(sums, rescale, out, count);
}

void RescaleAdd(const int32_t* sums, const Rescale& rescale, int32_t* residual, size_t count) {
  HWY_DYNAMIC_DISPATCH(RescaleAddLoop)(sums, rescale, residual, count);
}

void MultiplyRow(const int32_t* x, int32_t mantissa, int shift, int32_t* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(MultiplyRowLoop)(x, mantissa, shift, out, count);
}

void Rotate(int32_t* x, size_t heads, size_t half, const int16_t* sine, const int16_t* cosine) {
  HWY_DYNAMIC_DISPATCH(RotateLoop)(x, heads, half, sine, cosine);
}

void Silu(const int32_t* gate, int32_t* out, size_t count) { HWY_DYNAMIC_DISPATCH(SiluLoop)(gate, out, count); }

void Products(const int32_t* a, int shift_a, const int32_t* b, int shift_b, int32_t* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(ProductsLoop)(a, shift_a, b, shift_b, out, count);
}

int32_t Scores(const int32_t* dots, const int32_t* scale, int shift, int32_t* scores, size_t count) {
  return HWY_DYNAMIC_DISPATCH(ScoresLoop)(dots, scale, shift, scores, count);
}

void SoftmaxWeights(const SoftmaxInput& input, int32_t* scaled, size_t count, SoftmaxSums& sums) {
  HWY_DYNAMIC_DISPATCH(SoftmaxWeightsLoop)(input, scaled, count, sums);
}

void ScaleWeights(const int32_t* scaled, int32_t factor, uint8_t* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(ScaleWeightsLoop)(scaled, factor, out, count);
}

void LogitWeights(const int32_t* logits, int32_t largest, uint32_t* weights, uint64_t* block_sums, size_t count) {
  HWY_DYNAMIC_DISPATCH(LogitWeightsLoop)(logits, largest, weights, block_sums, count);
}

uint32_t CountBefore(const int32_t* logits, size_t count, int32_t logit, size_t index) {
  return HWY_DYNAMIC_DISPATCH(CountBeforeLoop)(logits, count, logit, index);
}

}  // namespace clm::engine_kernels
#endif
