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

// out[i] = round(round(x[i] * 2^-shift) * factor * 2^-24): with factor = 127 * 2^24 / largest, in [-127, 127].
void QuantizeNarrow(const int32_t* x, int shift, int32_t factor, int16_t* out, size_t count);
// out[i] = round(x[i] * 2^-shift). Requires a shift that makes it fit.
void QuantizeWide(const int32_t* x, int shift, int16_t* out, size_t count);

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
  uint64_t scaled = 0;          // of weight * scale
  uint64_t largest_scaled = 0;  // weight * scale
};
// weights[i] = 2^(15 - (largest - scores[i]) / 2^16); adds to `sums`. Requires scores[i] <= largest.
void SoftmaxWeights(const int32_t* scores, int32_t largest, const int32_t* scale, int32_t* weights, size_t count,
                    SoftmaxSums& sums);
// out[i] = min(round(weights[i] * scale[i] * 2^-shift), 32767).
void ScaleWeights(const int32_t* weights, const int32_t* scale, int shift, int16_t* out, size_t count);

// weights[i] = 2^(24 - (largest - logits[i]) / 2^16); returns their sum.
uint64_t LogitWeights(const int32_t* logits, int32_t largest, uint32_t* weights, size_t count);

// Replaces weight w by 1 + floor(w * spread / sum), given as 1 + ((w * high + (w * low >> 24)) >> shift); returns their
// sum.
struct Divisor {
  uint32_t high;
  uint32_t low;
  int shift;
};
uint64_t WeightsToFrequencies(uint32_t* weights, const Divisor& divisor, size_t count);

// How many logits come before `logit` of index `index`: larger ones anywhere, equal ones below the index.
uint32_t CountBefore(const int32_t* logits, size_t count, int32_t logit, size_t index);

}  // namespace clm::engine_kernels
