// ModelConfig: the shape of a Llama-like transformer, and its config.json.
//
// The file format is Hugging Face's config.json for LlamaForCausalLM, so that a checkpoint opens in `transformers` and
// theirs opens here. What we do not implement (biases, RoPE scaling, other activations, head sizes that are not
// hidden_size / heads, number types other than float32 / bfloat16 / float16) is refused by name, never ignored.
//
// A value type. Source of the architecture: Touvron et al. 2023, arXiv 2302.13971 (RMSNorm, RoPE, SwiGLU); grouped
// keys and values: Ainslie et al. 2023, arXiv 2305.13245.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"

namespace clm {

struct ModelConfig {
  // Symbols of the representation. Range [1, 2^24].
  uint32_t vocab_size = 0;
  // Width of the residual stream, d. Range [2, 16384], a multiple of 2 * heads.
  int hidden_size = 128;
  // Width of the SwiGLU, F. Range [1, 65536].
  int intermediate_size = 344;
  // Range [1, 256].
  int layers = 4;
  // Attention heads, each hidden_size / heads wide. Range [1, 256].
  int heads = 4;
  // Heads of keys and values; divides `heads`.
  int kv_heads = 4;
  // Symbols a prediction can look back on, the symbol before it included. Range [1, 1048576].
  int max_positions = 256;
  // Added to the mean square. Range (0, 0.1].
  double rms_norm_eps = 1e-5;
  // Base of the rotary frequencies. Range [1, 1e9].
  double rope_theta = 10000.0;
  // One table for input and output rows. Halves the parameters of the tables; costs BPB on small models.
  bool tie_embeddings = false;
  // Ends every document and conditions the first symbol of each (bos and eos of config.json). Below vocab_size.
  SymbolId boundary = 0;

  int head_size() const { return hidden_size / heads; }

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range

  friend bool operator==(const ModelConfig&, const ModelConfig&) = default;
};

// Parameters by where they sit. With tied tables `head` is 0.
struct ParameterCounts {
  uint64_t body = 0;       // attention, feed-forward and norms
  uint64_t embedding = 0;  // V * d
  uint64_t head = 0;       // V * d when the output rows are their own
  uint64_t total() const { return body + embedding + head; }
};
// Closed form: body = L * (d * d * (2 + 2 * kv_heads / heads) + 3 * d * F + 2 * d) + d. Requires a valid config.
ParameterCounts CountParameters(const ModelConfig& config);

// config.json, two-space indented, keys sorted, ending in a newline. Requires a valid config.
std::string ModelConfigToJson(const ModelConfig& config);
// INVALID_ARGUMENT for anything malformed, out of range or not implemented, naming the key.
absl::StatusOr<ModelConfig> ModelConfigFromJson(absl::string_view json);

}  // namespace clm
