// Ops: the operations of the transformer, each with its gradient, on LibTorch tensors.
//
// Every operation has two implementations with one meaning: fused row kernels (kernels.h) for the CPU, and plain ATen
// expressions that run on any device and are the readable twin in the tests. Gradients are written by hand: the step
// then accumulates straight into the flat gradient array and needs no graph.
//
// Shapes: N symbols of a TokenBatch, d hidden size, F intermediate size, Hq and Hk heads of hd values.
// All tensors are float32 and contiguous. Determinism: same device, number type and thread count; on the CPU most
// operations do not depend on the thread count either, the matrix products of the library may.
// Internal to core/model and core/train (LibTorch types).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "core/model/token_batch.h"

namespace clm {

// How the heads of a fused [q | k | v] row are laid out.
struct AttentionShape {
  int64_t heads = 0;     // Hq
  int64_t kv_heads = 0;  // Hk
  int64_t head_size = 0;
  int64_t row_width() const { return (heads + 2 * kv_heads) * head_size; }
};

// What the backward pass of attention needs, one entry per span.
struct AttentionSaved {
  std::vector<at::Tensor> out;        // [rows, Hq, length, hd]
  std::vector<at::Tensor> logsumexp;  // [rows, Hq, length]; empty in the generic implementation
};

// Angles of the rotary embedding for positions [0, positions).
struct RotaryTable {
  at::Tensor cosine;  // [positions, hd / 2]
  at::Tensor sine;    // [positions, hd / 2]
  static RotaryTable Create(int64_t positions, int64_t head_size, double theta, at::Device device);
};

class Ops {
 public:
  // Fused kernels need the CPU.
  explicit Ops(bool fused) : fused_(fused) {}

  // y, inv <- x [N, d]; see kernels.h.
  void RmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps, at::Tensor& y, at::Tensor& inv) const;
  // dx += , dweight +=
  void RmsNormBackward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& inv,
                       at::Tensor& dx, at::Tensor& dweight) const;

  // gate_up [N, 2F] -> activation [N, F].
  void SwiGlu(const at::Tensor& gate_up, at::Tensor& activation) const;
  // Replaces gate_up by its gradient.
  void SwiGluBackward(const at::Tensor& dactivation, at::Tensor& gate_up) const;

  // Rotates q and k of qkv [N, (Hq + 2 Hk) hd] in place; `positions` [N] int32 on qkv's device.
  void Rotate(at::Tensor& qkv, const at::Tensor& positions, const RotaryTable& table, const AttentionShape& shape,
              bool inverse) const;

  // Causal attention within each sequence: qkv (rotated) -> attended [N, Hq hd]. `saved` may be null.
  void Attend(const at::Tensor& qkv, const std::vector<TokenSpan>& spans, const AttentionShape& shape,
              AttentionSaved* saved, at::Tensor& attended) const;
  // dqkv <- gradient by the rotated qkv.
  void AttendBackward(const at::Tensor& dattended, const at::Tensor& qkv, const std::vector<TokenSpan>& spans,
                      const AttentionShape& shape, const AttentionSaved& saved, at::Tensor& dqkv) const;

  // out [N, d] <- rows `ids` [N] (int64) of table.
  void Gather(const at::Tensor& table, const at::Tensor& ids, at::Tensor& out) const;
  // dtable[ids[n]] += dx[n], in order of n.
  void ScatterAdd(const at::Tensor& dx, const at::Tensor& ids, at::Tensor& dtable) const;

  // Nats of each row of logits [C, V] against targets [C] (int64, negative: none) into nats [C] (float64, on the
  // CPU). With `gradient`, logits become scale * (softmax - onehot).
  void SoftmaxNats(at::Tensor& logits, const at::Tensor& targets, float scale, bool gradient, double* nats) const;

 private:
  bool fused_;
};

}  // namespace clm
