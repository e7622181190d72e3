#include "core/checkpoint/model_config.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/strict_json.h"

namespace clm {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxConfigBytes = size_t{1} << 20;
constexpr size_t kMaxConfigValues = 10'000;

absl::Status CheckRange(absl::string_view field, double value, double low, double high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("model ", field, " is ", value, ", must be in [", low, ", ", high, "]"));
}

absl::Status Refuse(absl::string_view key, const Json& value, absl::string_view supported) {
  return absl::InvalidArgumentError(
      absl::StrCat("config.json: ", key, " is ", value.dump(), "; only ", supported, " is implemented"));
}

// Keys whose meaning we implement for one value only. A missing key has that value in transformers' defaults.
absl::Status CheckFixedKeys(const Json& root) {
  struct Fixed {
    const char* key;
    Json value;
  };
  const std::array<Fixed, 6> fixed = {{{"model_type", "llama"},
                                       {"hidden_act", "silu"},
                                       {"attention_bias", false},
                                       {"mlp_bias", false},
                                       {"attention_dropout", 0.0},
                                       {"pretraining_tp", 1}}};
  for (const Fixed& entry : fixed) {
    const auto found = root.find(entry.key);
    if (found == root.end()) continue;
    if (*found != entry.value) return Refuse(entry.key, *found, entry.value.dump());
  }
  for (const char* key : {"quantization_config", "sliding_window", "layer_types"}) {
    const auto found = root.find(key);
    if (found != root.end() && !found->is_null()) return Refuse(key, *found, "null");
  }
  const auto architectures = root.find("architectures");
  if (architectures != root.end() && !architectures->is_null() && *architectures != Json::array({"LlamaForCausalLM"})) {
    return Refuse("architectures", *architectures, "[\"LlamaForCausalLM\"]");
  }
  return absl::OkStatus();
}

absl::Status CheckNumberType(const Json& root) {
  for (const char* key : {"dtype", "torch_dtype"}) {
    const auto found = root.find(key);
    if (found == root.end() || found->is_null()) continue;
    if (*found != "float32" && *found != "bfloat16" && *found != "float16") {
      return Refuse(key, *found, "float32, bfloat16 or float16");
    }
  }
  return absl::OkStatus();
}

absl::Status ReadInteger(const Json& root, const char* key, int64_t& value) {
  const auto found = root.find(key);
  if (found == root.end() || found->is_null()) return absl::OkStatus();
  if (!found->is_number_integer()) {
    return absl::InvalidArgumentError(
        absl::StrCat("config.json: ", key, " is ", found->dump(), ", must be an integer"));
  }
  // Values beyond int64 come out of nlohmann as huge unsigned numbers; the range check of Validate refuses either.
  value = found->is_number_unsigned() && found->get<uint64_t>() > uint64_t{1} << 40 ? int64_t{1} << 40
                                                                                    : found->get<int64_t>();
  return absl::OkStatus();
}

absl::Status ReadInt(const Json& root, const char* key, int& value) {
  int64_t wide = value;
  CLM_RETURN_IF_ERROR(ReadInteger(root, key, wide));
  CLM_RETURN_IF_ERROR(CheckRange(key, static_cast<double>(wide), 0, 1 << 24));
  value = static_cast<int>(wide);
  return absl::OkStatus();
}

absl::Status ReadNumber(const Json& root, const char* key, double& value) {
  const auto found = root.find(key);
  if (found == root.end() || found->is_null()) return absl::OkStatus();
  if (!found->is_number()) {
    return absl::InvalidArgumentError(absl::StrCat("config.json: ", key, " is ", found->dump(), ", must be a number"));
  }
  value = found->get<double>();
  return absl::OkStatus();
}

// transformers 4 has `rope_theta` and `rope_scaling`; transformers 5 has `rope_parameters` with both.
absl::Status ReadRope(const Json& root, double& theta) {
  CLM_RETURN_IF_ERROR(ReadNumber(root, "rope_theta", theta));
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const auto found = root.find(key);
    if (found == root.end() || found->is_null()) continue;
    if (!found->is_object()) return Refuse(key, *found, "an object");
    for (const char* type_key : {"rope_type", "type"}) {
      const auto type = found->find(type_key);
      if (type != found->end() && *type != "default")
        return Refuse(absl::StrCat(key, ".", type_key), *type, "\"default\"");
    }
    CLM_RETURN_IF_ERROR(ReadNumber(*found, "rope_theta", theta));
  }
  return absl::OkStatus();
}

absl::Status ReadShape(const Json& root, ModelConfig& config) {
  for (const char* key :
       {"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"}) {
    if (!root.contains(key)) return absl::InvalidArgumentError(absl::StrCat("config.json: ", key, " is missing"));
  }
  int vocab_size = 0;
  CLM_RETURN_IF_ERROR(ReadInt(root, "vocab_size", vocab_size));
  config.vocab_size = static_cast<uint32_t>(vocab_size);
  CLM_RETURN_IF_ERROR(ReadInt(root, "hidden_size", config.hidden_size));
  CLM_RETURN_IF_ERROR(ReadInt(root, "intermediate_size", config.intermediate_size));
  CLM_RETURN_IF_ERROR(ReadInt(root, "num_hidden_layers", config.layers));
  CLM_RETURN_IF_ERROR(ReadInt(root, "num_attention_heads", config.heads));
  config.kv_heads = config.heads;
  CLM_RETURN_IF_ERROR(ReadInt(root, "num_key_value_heads", config.kv_heads));
  config.max_positions = 2048;  // transformers' default, as are the next two
  CLM_RETURN_IF_ERROR(ReadInt(root, "max_position_embeddings", config.max_positions));
  config.rms_norm_eps = 1e-6;
  return ReadNumber(root, "rms_norm_eps", config.rms_norm_eps);
}

// The boundary is eos; bos must agree when both are given, because our streams have one such symbol.
absl::Status ReadBoundary(const Json& root, ModelConfig& config) {
  int eos = 2;
  CLM_RETURN_IF_ERROR(ReadInt(root, "eos_token_id", eos));
  int bos = eos;
  if (root.contains("eos_token_id") && root.contains("bos_token_id")) {
    CLM_RETURN_IF_ERROR(ReadInt(root, "bos_token_id", bos));
  }
  if (bos != eos) {
    return absl::InvalidArgumentError(
        absl::StrCat("config.json: bos_token_id is ", bos, " and eos_token_id is ", eos, "; they must be one symbol"));
  }
  config.boundary = static_cast<SymbolId>(eos);
  return absl::OkStatus();
}

absl::StatusOr<ModelConfig> ReadConfig(const Json& root) {
  ModelConfig config;
  CLM_RETURN_IF_ERROR(CheckFixedKeys(root));
  CLM_RETURN_IF_ERROR(CheckNumberType(root));
  CLM_RETURN_IF_ERROR(ReadShape(root, config));
  CLM_RETURN_IF_ERROR(ReadRope(root, config.rope_theta));
  CLM_RETURN_IF_ERROR(ReadBoundary(root, config));
  const auto tied = root.find("tie_word_embeddings");
  if (tied != root.end() && !tied->is_boolean()) return Refuse("tie_word_embeddings", *tied, "true or false");
  config.tie_embeddings = tied != root.end() && tied->get<bool>();
  CLM_RETURN_IF_ERROR(config.Validate());
  int head_dim = config.head_size();
  CLM_RETURN_IF_ERROR(ReadInt(root, "head_dim", head_dim));
  if (head_dim != config.head_size()) {
    return Refuse("head_dim", head_dim, absl::StrCat("hidden_size / num_attention_heads = ", config.head_size()));
  }
  return config;
}

}  // namespace

absl::Status ModelConfig::Validate() const {
  CLM_RETURN_IF_ERROR(CheckRange("vocab_size", vocab_size, 1, 1 << 24));
  CLM_RETURN_IF_ERROR(CheckRange("hidden_size", hidden_size, 2, 16384));
  CLM_RETURN_IF_ERROR(CheckRange("intermediate_size", intermediate_size, 1, 65536));
  CLM_RETURN_IF_ERROR(CheckRange("layers", layers, 1, 256));
  CLM_RETURN_IF_ERROR(CheckRange("heads", heads, 1, 256));
  CLM_RETURN_IF_ERROR(CheckRange("kv_heads", kv_heads, 1, heads));
  CLM_RETURN_IF_ERROR(CheckRange("max_positions", max_positions, 1, 1 << 20));
  CLM_RETURN_IF_ERROR(CheckRange("rms_norm_eps", rms_norm_eps, 1e-12, 0.1));
  CLM_RETURN_IF_ERROR(CheckRange("rope_theta", rope_theta, 1, 1e9));
  CLM_RETURN_IF_ERROR(CheckRange("boundary", boundary, 0, vocab_size - 1.0));
  if (hidden_size % (2 * heads) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("model hidden_size is ", hidden_size, ", must be a multiple of 2 * heads = ", 2 * heads));
  }
  if (heads % kv_heads != 0) {
    return absl::InvalidArgumentError(absl::StrCat("model kv_heads is ", kv_heads, ", must divide heads = ", heads));
  }
  return absl::OkStatus();
}

ParameterCounts CountParameters(const ModelConfig& config) {
  const auto d = static_cast<uint64_t>(config.hidden_size);
  const auto f = static_cast<uint64_t>(config.intermediate_size);
  const uint64_t kv = static_cast<uint64_t>(config.kv_heads) * static_cast<uint64_t>(config.head_size());
  ParameterCounts counts;
  counts.body = static_cast<uint64_t>(config.layers) * (2 * d * d + 2 * d * kv + 3 * d * f + 2 * d) + d;
  counts.embedding = config.vocab_size * d;
  counts.head = config.tie_embeddings ? 0 : counts.embedding;
  return counts;
}

std::string ModelConfigToJson(const ModelConfig& config) {
  const Json root = {{"architectures", Json::array({"LlamaForCausalLM"})},
                     {"attention_bias", false},
                     {"attention_dropout", 0.0},
                     {"bos_token_id", config.boundary},
                     {"eos_token_id", config.boundary},
                     {"head_dim", config.head_size()},
                     {"hidden_act", "silu"},
                     {"hidden_size", config.hidden_size},
                     {"intermediate_size", config.intermediate_size},
                     {"max_position_embeddings", config.max_positions},
                     {"mlp_bias", false},
                     {"model_type", "llama"},
                     {"num_attention_heads", config.heads},
                     {"num_hidden_layers", config.layers},
                     {"num_key_value_heads", config.kv_heads},
                     {"rms_norm_eps", config.rms_norm_eps},
                     {"rope_theta", config.rope_theta},
                     {"tie_word_embeddings", config.tie_embeddings},
                     {"torch_dtype", "float32"},
                     {"vocab_size", config.vocab_size}};
  return root.dump(2) + "\n";
}

absl::StatusOr<ModelConfig> ModelConfigFromJson(absl::string_view json) {
  const absl::StatusOr<Json> root =
      ParseStrictJson(json, {.max_bytes = kMaxConfigBytes, .max_values = kMaxConfigValues});
  if (!root.ok()) return absl::InvalidArgumentError(absl::StrCat("config.json: ", root.status().message()));
  if (!root->is_object()) return absl::InvalidArgumentError("config.json is not a JSON object");
  return ReadConfig(*root);
}

}  // namespace clm
