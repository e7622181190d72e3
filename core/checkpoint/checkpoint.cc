#include "core/checkpoint/checkpoint.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{1} << 20;

static_assert(std::endian::native == std::endian::little, "tensors are stored little-endian and copied as they are");

// IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits.
float FromHalf(uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const auto fraction = static_cast<float>(bits & 1023);
  float value = 0;
  if (exponent == 31) {
    value = fraction == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    value = std::ldexp(fraction, -24);
  } else {
    value = std::ldexp(1024.0F + fraction, exponent - 25);
  }
  return (bits >> 15) != 0 ? -value : value;
}

// bfloat16 is the upper half of a binary32.
float FromBrain(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

void ReadTensor(const TensorView& tensor, float* out) {
  if (tensor.type == TensorType::kF32) {
    std::memcpy(out, tensor.bytes.data(), tensor.bytes.size());
    return;
  }
  const size_t count = tensor.bytes.size() / sizeof(uint16_t);
  for (size_t i = 0; i < count; ++i) {
    uint16_t bits = 0;
    std::memcpy(&bits, tensor.bytes.data() + i * sizeof(bits), sizeof(bits));
    out[i] = tensor.type == TensorType::kF16 ? FromHalf(bits) : FromBrain(bits);
  }
}

std::vector<uint64_t> UnsignedShape(const ParameterSpec& spec) {
  const std::vector<int64_t> shape = spec.shape();
  return {shape.begin(), shape.end()};
}

absl::Status CheckTensor(const std::string& path, const ParameterSpec& spec, const TensorView* tensor) {
  if (tensor == nullptr) return absl::DataLossError(absl::StrCat(path, ": tensor ", spec.name, " is missing"));
  if (tensor->shape != UnsignedShape(spec)) {
    return absl::DataLossError(absl::StrCat(path, ": tensor ", spec.name, " has shape [",
                                            absl::StrJoin(tensor->shape, ", "), "], the config says [",
                                            absl::StrJoin(UnsignedShape(spec), ", "), "]"));
  }
  const bool known =
      tensor->type == TensorType::kF32 || tensor->type == TensorType::kF16 || tensor->type == TensorType::kBF16;
  if (!known) {
    return absl::DataLossError(absl::StrCat(path, ": tensor ", spec.name, " has type ", TensorTypeName(tensor->type),
                                            ", must be F32, BF16 or F16"));
  }
  return absl::OkStatus();
}

bool MayBeIgnored(const std::string& name, const ModelConfig& config) {
  return absl::EndsWith(name, "rotary_emb.inv_freq") || (config.tie_embeddings && name == "lm_head.weight");
}

}  // namespace

std::vector<TensorView> TensorViews(const ParameterLayout& layout, std::span<const float> weights) {
  CLM_CHECK(static_cast<int64_t>(weights.size()) == layout.total());
  std::vector<TensorView> tensors;
  for (const ParameterSpec& spec : layout.parameters()) {
    const auto* begin = reinterpret_cast<const char*>(weights.data() + spec.offset);
    tensors.push_back({.name = spec.name,
                       .type = TensorType::kF32,
                       .shape = UnsignedShape(spec),
                       .bytes = {begin, static_cast<size_t>(spec.size()) * sizeof(float)}});
  }
  return tensors;
}

absl::Status WriteCheckpoint(FileSystem& files, const std::string& folder, const ModelConfig& config,
                             std::span<const float> weights) {
  const std::vector<TensorView> tensors = TensorViews(ParameterLayout::Plain(config), weights);
  // transformers insists on this entry.
  CLM_RETURN_IF_ERROR(WriteSafetensors(files, JoinPath(folder, kWeightsFile), tensors, {{"format", "pt"}}));
  return WriteFileAtomically(files, JoinPath(folder, kConfigFile), ModelConfigToJson(config));
}

absl::StatusOr<ModelConfig> ReadCheckpointConfig(const FileSystem& files, const std::string& folder) {
  const std::string path = JoinPath(folder, kConfigFile);
  CLM_ASSIGN_OR_RETURN(const std::string json, ReadFile(files, path, kMaxConfigBytes));
  absl::StatusOr<ModelConfig> config = ModelConfigFromJson(json);
  if (!config.ok()) return absl::Status(config.status().code(), absl::StrCat(path, ": ", config.status().message()));
  return config;
}

absl::StatusOr<CheckpointWeights> CheckpointWeights::Open(const FileSystem& files, const std::string& folder,
                                                          const ModelConfig& config) {
  const std::string path = JoinPath(folder, kWeightsFile);
  CLM_ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::Open(files, path));
  ParameterLayout layout = ParameterLayout::Plain(config);
  for (const ParameterSpec& spec : layout.parameters()) {
    CLM_RETURN_IF_ERROR(CheckTensor(path, spec, file.Find(spec.name)));
  }
  for (const TensorView& tensor : file.tensors()) {
    if (layout.Contains(tensor.name) || MayBeIgnored(tensor.name, config)) continue;
    return absl::DataLossError(absl::StrCat(path, ": tensor ", tensor.name, " does not belong to this model"));
  }
  return CheckpointWeights(std::move(file), std::move(layout));
}

void CheckpointWeights::Read(std::span<float> weights) const {
  CLM_CHECK(static_cast<int64_t>(weights.size()) == layout_.total());
  for (const ParameterSpec& spec : layout_.parameters())
    ReadTensor(*file_.Find(spec.name), weights.data() + spec.offset);
}

}  // namespace clm
