// Row kernels of the transformer: the arithmetic between the matrix products, fused so that each value is read once.
//
// All arrays are float32, row-major, contiguous. A kernel works on `rows` rows, allocates nothing and cannot fail;
// callers split rows over threads. Instruction set chosen at run time (Highway); the result for a row depends on the
// machine's vector width but not on which rows are done together.
#pragma once

#include <cstdint>

namespace clm::kernels {

// y[r] = x[r] * inv[r] * weight with inv[r] = 1 / sqrt(mean(x[r]^2) + eps). Zhang & Sennrich 2019, arXiv 1910.07467.
struct RmsNormForward {
  const float* x;       // [rows, width]
  const float* weight;  // [width]
  float* y;             // [rows, width]
  float* inv;           // [rows]
  int64_t width;
  float eps;
};
void Run(const RmsNormForward& args, int64_t begin_row, int64_t end_row);

// Adds the gradient by x to dx and the gradient by weight to dweight.
struct RmsNormBackward {
  const float* dy;      // [rows, width]
  const float* x;       // [rows, width]
  const float* weight;  // [width]
  const float* inv;     // [rows]
  float* dx;            // [rows, width] +=
  float* dweight;       // [width] +=
  int64_t width;
};
void Run(const RmsNormBackward& args, int64_t begin_row, int64_t end_row);

// activation[r][j] = silu(gate_up[r][j]) * gate_up[r][width + j]. Shazeer 2020, arXiv 2002.05202.
struct SwiGluForward {
  const float* gate_up;  // [rows, 2 * width]
  float* activation;     // [rows, width]
  int64_t width;
};
void Run(const SwiGluForward& args, int64_t begin_row, int64_t end_row);

// Replaces gate_up by its gradient.
struct SwiGluBackward {
  const float* dactivation;  // [rows, width]
  float* gate_up;            // [rows, 2 * width] in: values, out: gradients
  int64_t width;
};
void Run(const SwiGluBackward& args, int64_t begin_row, int64_t end_row);

// Rotates, in place, the first `heads` heads of each row by its position: pairs (j, j + half) turn by the angle
// position * theta^(-j / half). Su et al. 2021, arXiv 2104.09864, in the half-rotation order of transformers' Llama.
struct Rotate {
  float* rows;              // [rows, stride], heads of 2 * half values side by side
  const float* cosine;      // [positions, half]
  const float* sine;        // [positions, half]; negate for the inverse
  const int32_t* position;  // [rows]
  int64_t stride;
  int64_t heads;
  int64_t half;
  bool inverse;
};
void Run(const Rotate& args, int64_t begin_row, int64_t end_row);

// nats[r] = ln sum exp(logits[r]) - logits[r][target[r]]; 0 where target[r] < 0. With `gradient`, logits become
// scale * (softmax - onehot), rows without target become 0; without it logits are left in an unspecified state.
struct SoftmaxNats {
  float* logits;          // [rows, width]
  const int64_t* target;  // [rows]
  double* nats;           // [rows]
  int64_t width;
  float scale;
  bool gradient;
};
void Run(const SoftmaxNats& args, int64_t begin_row, int64_t end_row);

// Sum of squares of values[begin, end) in double, in an order that depends on nothing but the range.
double SumOfSquares(const float* values, int64_t begin, int64_t end);

}  // namespace clm::kernels
