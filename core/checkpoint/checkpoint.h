// Checkpoint files: a folder with config.json and model.safetensors, as LlamaForCausalLM of `transformers` reads and
// writes them (tensor names of parameter_layout.h).
//
// A reader takes float32, bfloat16 and float16 and gives float32. It refuses missing, unknown and misshapen tensors by
// name; buffers that old versions of transformers stored (rotary_emb.inv_freq) are skipped, and with tied tables so is
// lm_head.weight. No LibTorch here. Thread-safe.
#pragma once

#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/artifact/safetensors.h"
#include "core/base/file_io.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/parameter_layout.h"

namespace clm {

inline constexpr char kConfigFile[] = "config.json";
inline constexpr char kWeightsFile[] = "model.safetensors";

// Writes both files into the existing folder `folder`. `weights` are the floats of ParameterLayout::Plain(config).
// Neither atomic nor synced as a folder: callers write into a temporary folder and publish it.
absl::Status WriteCheckpoint(FileSystem& files, const std::string& folder, const ModelConfig& config,
                             std::span<const float> weights);

// NOT_FOUND, INVALID_ARGUMENT (config.json) or DATA_LOSS (weights), naming the file.
absl::StatusOr<ModelConfig> ReadCheckpointConfig(const FileSystem& files, const std::string& folder);

// The tensors of a checkpoint, checked against the config but not read yet: a wrong or truncated file costs no memory.
class CheckpointWeights {
 public:
  static absl::StatusOr<CheckpointWeights> Open(const FileSystem& files, const std::string& folder,
                                                const ModelConfig& config);
  // Fills the floats of ParameterLayout::Plain(config).
  void Read(std::span<float> weights) const;

 private:
  CheckpointWeights(SafetensorsFile file, ParameterLayout layout)
      : file_(std::move(file)), layout_(std::move(layout)) {}

  SafetensorsFile file_;
  ParameterLayout layout_;
};

// One view per parameter of `layout` into the flat array `weights`.
std::vector<TensorView> TensorViews(const ParameterLayout& layout, std::span<const float> weights);

}  // namespace clm
