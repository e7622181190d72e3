#include "core/engine/transformer_weights.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/byte_writer.h"
#include "core/base/check.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/parameter_layout.h"
#include "core/engine/tables.h"

namespace clm {
namespace {

// Raise it with every change that changes a frequency.
constexpr uint32_t kAlgorithmVersion = 2;
constexpr double kLog2E = 1.4426950408889634;
// Queries and keys are bytes: far from where their sums could reach 2^31.
constexpr int kMaxHeadSize = 1024;

// Reads the parameters of one checkpoint by name.
class Reader {
 public:
  Reader(const ModelConfig& config, std::span<const float> weights)
      : layout_(ParameterLayout::Plain(config)), weights_(weights) {}

  // Parameters stored together: from the first one on, `rows` rows.
  absl::StatusOr<PackedMatrix> Matrix(const std::string& first, int64_t rows, double factor = 1.0) const {
    const ParameterSpec& spec = layout_.Find(first);
    const MatrixShape shape = {.name = first,
                               .rows = static_cast<size_t>(rows),
                               .columns = static_cast<size_t>(spec.columns),
                               .factor = factor};
    return PackedMatrix::Create(weights_.subspan(static_cast<size_t>(spec.offset), shape.rows * shape.columns), shape);
  }

  absl::StatusOr<QuantizedVector> Vector(const std::string& name) const {
    const ParameterSpec& spec = layout_.Find(name);
    return QuantizeVector(weights_.subspan(static_cast<size_t>(spec.offset), static_cast<size_t>(spec.size())), name);
  }

 private:
  const ParameterLayout layout_;
  const std::span<const float> weights_;
};

absl::StatusOr<TransformerLayer> ReadLayer(const Reader& reader, const ModelConfig& config, int index) {
  const std::string prefix = absl::StrCat("model.layers.", index, ".");
  const int64_t d = config.hidden_size;
  const int64_t kv = int64_t{config.kv_heads} * config.head_size();
  CLM_ASSIGN_OR_RETURN(QuantizedVector input_norm, reader.Vector(prefix + "input_layernorm.weight"));
  CLM_ASSIGN_OR_RETURN(PackedMatrix qkv, reader.Matrix(prefix + "self_attn.q_proj.weight", d + 2 * kv));
  CLM_ASSIGN_OR_RETURN(PackedMatrix out, reader.Matrix(prefix + "self_attn.o_proj.weight", d));
  CLM_ASSIGN_OR_RETURN(QuantizedVector post_norm, reader.Vector(prefix + "post_attention_layernorm.weight"));
  CLM_ASSIGN_OR_RETURN(PackedMatrix gate_up,
                       reader.Matrix(prefix + "mlp.gate_proj.weight", int64_t{2} * config.intermediate_size));
  CLM_ASSIGN_OR_RETURN(PackedMatrix down, reader.Matrix(prefix + "mlp.down_proj.weight", d));
  return TransformerLayer{std::move(input_norm), std::move(qkv),     std::move(out),
                          std::move(post_norm),  std::move(gate_up), std::move(down)};
}

// A positive double as a Scale, cut to 15 bits.
Scale ScaleOf(double value) {
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  return {static_cast<int32_t>(std::floor(std::ldexp(fraction, 15))), exponent - 15};
}

void WriteVector(const QuantizedVector& vector, std::string& out) {
  ByteWriter writer;
  writer.WriteU32(static_cast<uint32_t>(vector.exponent));
  for (const int16_t value : vector.values) writer.WriteU16(static_cast<uint16_t>(value));
  out += writer.Take();
}

void WriteTables(std::string& out) {
  ByteWriter writer;
  for (const uint32_t value : kExp2Polynomial) writer.WriteU32(value);
  for (const uint32_t value : kReciprocalPolynomial) writer.WriteU32(value);
  writer.WriteU32(kLog2E15);
  for (const int32_t value : engine_internal::kSineTable) writer.WriteU32(static_cast<uint32_t>(value));
  for (const int value : {kQueryBits, kValueBits, kUpBits, kResidualSpareBits, kLogBits, kWeightBits, kGateBits}) {
    writer.WriteU32(static_cast<uint32_t>(value));
  }
  out += writer.Take();
}

}  // namespace

absl::StatusOr<TransformerWeights> TransformerWeights::Create(const ModelConfig& config,
                                                              std::span<const float> weights) {
  CLM_RETURN_IF_ERROR(config.Validate());
  const int head_size = config.head_size();
  if (head_size > kMaxHeadSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("attention: heads are ", head_size, " wide, the engine's sums allow ", kMaxHeadSize));
  }
  const Reader reader(config, weights);
  CLM_CHECK(static_cast<int64_t>(weights.size()) == ParameterLayout::Plain(config).total());
  std::vector<TransformerLayer> layers;
  for (int i = 0; i < config.layers; ++i) {
    CLM_ASSIGN_OR_RETURN(TransformerLayer layer, ReadLayer(reader, config, i));
    layers.push_back(std::move(layer));
  }
  CLM_ASSIGN_OR_RETURN(QuantizedVector final_norm, reader.Vector("model.norm.weight"));
  CLM_ASSIGN_OR_RETURN(QuantizedVector embedding, reader.Vector("model.embed_tokens.weight"));
  CLM_ASSIGN_OR_RETURN(
      PackedMatrix head,
      reader.Matrix(config.tie_embeddings ? "model.embed_tokens.weight" : "lm_head.weight", config.vocab_size, kLog2E));
  const int residual_bits = kResidualSpareBits - embedding.exponent;
  const double epsilon = std::ldexp(config.rms_norm_eps * config.hidden_size, 2 * residual_bits);
  TransformerWeights result = {.config = config,
                               .layers = std::move(layers),
                               .final_norm = std::move(final_norm),
                               .embedding = std::move(embedding),
                               .head = std::move(head),
                               .residual_bits = residual_bits,
                               .epsilon = static_cast<uint64_t>(std::min(epsilon, 0x1p60)),
                               .root_width = ScaleOf(std::sqrt(static_cast<double>(config.hidden_size))),
                               .score_scale = ScaleOf(kLog2E / (127.0 * std::sqrt(static_cast<double>(head_size)))),
                               .rotary_steps = {}};
  const auto half = static_cast<uint32_t>(head_size / 2);
  for (uint32_t pair = 0; pair < half; ++pair) {
    result.rotary_steps.push_back(RotaryStep(config.rope_theta, pair, half));
  }
  return result;
}

uint64_t TransformerWeights::bytes() const {
  uint64_t sum = head.bytes() + sizeof(int16_t) * (embedding.values.size() + final_norm.values.size());
  for (const TransformerLayer& layer : layers) {
    sum += layer.qkv.bytes() + layer.out.bytes() + layer.gate_up.bytes() + layer.down.bytes();
    sum += sizeof(int16_t) * (layer.input_norm.values.size() + layer.post_norm.values.size());
  }
  return sum;
}

std::string TransformerWeights::Fingerprint() const {
  Sha256 hash;
  std::string part = absl::StrCat("clm integer transformer ", kAlgorithmVersion, "\n", ModelConfigToJson(config));
  const auto flush = [&hash, &part] {
    hash.Update(part);
    part.clear();
  };
  WriteTables(part);
  for (const TransformerLayer& layer : layers) {
    WriteVector(layer.input_norm, part);
    WriteVector(layer.post_norm, part);
    for (const PackedMatrix* matrix : {&layer.qkv, &layer.out, &layer.gate_up, &layer.down}) matrix->Serialize(part);
    flush();
  }
  WriteVector(final_norm, part);
  WriteVector(embedding, part);
  flush();
  head.Serialize(part);
  ByteWriter constants;
  constants.WriteU64(epsilon);
  for (const uint64_t step : rotary_steps) constants.WriteU64(step);
  part += constants.Take();
  flush();
  return ToHex(hash.Finish());
}

}  // namespace clm
