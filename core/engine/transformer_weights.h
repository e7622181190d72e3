// TransformerWeights: the integers of a Llama-shaped transformer (core/checkpoint/model_config.h), made from its
// floats.
//
// Fixed-point formats between the products (see docs/method.md):
//
//   residual stream   int32, `residual_bits` fraction bits, so chosen that the largest embedding takes 18 bits
//   inputs of products int8 with one scale per vector
//   q, k               fixed point 11; v, up: 14; gate: 11; logits: 16, to base 2
//
// Immutable; thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/checkpoint/model_config.h"
#include "core/engine/fixed_point.h"
#include "core/engine/packed_matrix.h"

namespace clm {

inline constexpr int kQueryBits = 11;
inline constexpr int kValueBits = 14;
inline constexpr int kUpBits = 14;
// Limit of rotated queries and keys before the turn: +-32 in fixed point 11.
inline constexpr int32_t kQueryLimit = (int32_t{1} << 16) - 1;
// Spare bits of the residual stream below those of the embedding table.
inline constexpr int kResidualSpareBits = 3;

struct TransformerLayer {
  QuantizedVector input_norm;  // [d]
  PackedMatrix qkv;            // [(Hq + 2 Hk) hd, d]
  PackedMatrix out;            // [d, d]
  QuantizedVector post_norm;   // [d]
  PackedMatrix gate_up;        // [2F, d]
  PackedMatrix down;           // [d, F]
};

struct TransformerWeights {
  // `weights` are the floats of ParameterLayout::Plain(config). INVALID_ARGUMENT as for PackedMatrix and
  // QuantizeVector, or for a head too wide for the sums of attention.
  static absl::StatusOr<TransformerWeights> Create(const ModelConfig& config, std::span<const float> weights);

  uint64_t bytes() const;
  // 64 hex digits over all of this, the tables and constants, and the version of the algorithm.
  std::string Fingerprint() const;

  ModelConfig config;
  std::vector<TransformerLayer> layers;
  QuantizedVector final_norm;  // [d]
  QuantizedVector embedding;   // [V, d]
  PackedMatrix head;           // [V, d], times log2(e)
  int residual_bits = 0;
  // rms_norm_eps * d in units of the residual stream squared.
  uint64_t epsilon = 0;
  // sqrt(d) and log2(e) / (127 sqrt(hd)).
  Scale root_width;
  Scale score_scale;
  std::vector<uint64_t> rotary_steps;  // [hd / 2], see RotaryStep
};

}  // namespace clm
