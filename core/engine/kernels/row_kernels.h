// Row kernels of the engine: the integer arithmetic between the matrix products.
//
// Loops are plain integer C++, compiled once per instruction set and chosen at run time (Highway): the compiler may
// vectorise them as it likes, integers stay what they are. Nothing allocates, nothing fails.
//
// Formats: "fixed point b" is a value times 2^b. A residual stream is int32 with a clamp of +-kResidualLimit. Shifts
// round to nearest, halves up (fixed_point.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace clm::engine_kernels {

inline constexpr int32_t kResidualLimit = (int32_t{1} << 30) - 1;

// max |x|. Requires x > INT32_MIN.
uint32_t MaxAbs(const int32_t* x, size_t count);
int32_t Max(const int32_t* x, size_t count);

// products[i] = n[i] * gain[i] with n[i] = x[i] * 2^-shift (shift may be negative); returns the sum of n[i]^2. Requires
// |n[i]| <= 2^15.
int64_t NormProducts(const int32_t* x, int shift, const int16_t* gain, int32_t* products, size_t count);

// Activations for kernels/dot.h, kActivationOffset too high as those want them.
// out[i] = round(round(x[i] * 2^-shift) * factor * 2^-24): with factor = 127 * 2^24 / largest, in [-127, 127].
void Quantize(const int32_t* x, int shift, int32_t factor, uint8_t* out, size_t count);
// out[i] = round(x[i] * 2^-shift). Requires a shift that makes it fit.
void QuantizeByShift(const int32_t* x, int shift, uint8_t* out, size_t count);

// What turns sums of a matrix product into fixed point: sum * (row_scale[i] * mantissa) * 2^-shift, clamped to +-limit.
struct Rescale {
  const int32_t* row_scale;  // [count], in [1, 65535]
  int32_t mantissa;          // below 2^15
  int shift;                 // [1, 62]
  int32_t limit;
};
void RescaleRow(const int32_t* sums, const Rescale& rescale, int32_t* out, size_t count);
// residual[i] += the rescaled sum, clamped.
void RescaleAdd(const int32_t* sums, const Rescale& rescale, int32_t* residual, size_t count);
// out[i] = x[i] * mantissa * 2^-shift, clamped to +-kResidualLimit. shift in [1, 62].
void MultiplyRow(const int32_t* x, int32_t mantissa, int shift, int32_t* out, size_t count);

// Turns `heads` heads of 2 * half values in place; see SineCosine. Requires |x| < 2^17.
void Rotate(int32_t* x, size_t heads, size_t half, const int16_t* sine, const int16_t* cosine);

// out[i] = gate[i] * sigmoid(gate[i]): from fixed point 11 to fixed point 26. Requires |gate[i]| <= kMaxGate.
void Silu(const int32_t* gate, int32_t* out, size_t count);
// out[i] = round(a[i] * 2^-shift_a) * round(b[i] * 2^-shift_b). Requires both below 2^15 or equal.
void Products(const int32_t* a, int shift_a, const int32_t* b, int shift_b, int32_t* out, size_t count);

// scores[i] = dots[i] * scale[i] * 2^-shift, clamped to +-kResidualLimit; returns the largest. shift in [0, 62], scale
// >= 0.
int32_t Scores(const int32_t* dots, const int32_t* scale, int shift, int32_t* scores, size_t count);

struct SoftmaxSums {
  uint64_t weights = 0;
  uint32_t largest_scaled = 0;
};
// With weight w = 2^(15 - (largest - scores[i]) / 2^16): scaled[i] = w * (scale[i] >> scale_shift) >> 15; adds to
// `sums`. Requires scores[i] <= largest, 0 <= scale[i] >> scale_shift < 2^15.
struct SoftmaxInput {
  const int32_t* scores;
  const int32_t* scale;
  int32_t largest;
  int scale_shift;
};
void SoftmaxWeights(const SoftmaxInput& input, int32_t* scaled, size_t count, SoftmaxSums& sums);
// out[i] = round(scaled[i] * factor * 2^-16), with no offset. Requires that it fits.
void ScaleWeights(const int32_t* scaled, int32_t factor, uint8_t* out, size_t count);

inline constexpr size_t kWeightBlock = 64;
// weights[i] = 2^(24 - (largest - logits[i]) / 2^16); block_sums[b] = the sum of weights 64 b .. 64 b + 63.
void LogitWeights(const int32_t* logits, int32_t largest, uint32_t* weights, uint64_t* block_sums, size_t count);

// How many logits come before `logit` of index `index`: larger ones anywhere, equal ones below the index.
uint32_t CountBefore(const int32_t* logits, size_t count, int32_t logit, size_t index);

}  // namespace clm::engine_kernels
