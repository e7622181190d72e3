// ParameterLayout: where each named parameter lives in one flat float32 array.
//
// All weights of a model share one allocation, and so do gradients and optimizer moments: the optimizer, the gradient
// norm and a checkpoint of the optimizer each touch a few long ranges instead of dozens of tensors. Names are Hugging
// Face's. What is multiplied together is stored together: q, k, v (and gate, up) of a layer follow one another without
// a gap, so their rows form one matrix.
//
// Ranges of one group are contiguous. Offsets of stored-together blocks are multiples of 16 floats (64 bytes); the gaps
// stay zero. Immutable after construction; no LibTorch.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/checkpoint/model_config.h"

namespace clm {

enum class ParameterGroup : uint8_t {
  kMatrix = 0,    // matrices of the body: weight decay applies
  kVector = 1,    // norms
  kTable = 2,     // input and output rows
  kResidual = 3,  // residual rows of composed tables: their own learning-rate factor
};
inline constexpr int kParameterGroups = 4;

struct ParameterSpec {
  std::string name;     // "model.layers.0.self_attn.q_proj.weight"
  int64_t rows = 0;     // of a matrix; elements of a vector
  int64_t columns = 0;  // 0: a vector
  int64_t offset = 0;   // in floats
  ParameterGroup group = ParameterGroup::kMatrix;
  // Standard deviation of the initial values; 0 with `constant` below.
  double init_deviation = 0;
  double init_constant = 0;

  int64_t size() const { return columns == 0 ? rows : rows * columns; }
  std::vector<int64_t> shape() const {
    return columns == 0 ? std::vector<int64_t>{rows} : std::vector<int64_t>{rows, columns};
  }
};

// [begin, end) in floats.
struct ParameterRange {
  int64_t begin = 0;
  int64_t end = 0;
};

class ParameterLayout {
 public:
  // The plain Llama layout of a valid config: what a published checkpoint holds.
  static ParameterLayout Plain(const ModelConfig& config);
  // The body of `config` without tables, for models that bring their own; call Add() for those, then Finish().
  static ParameterLayout Body(const ModelConfig& config);

  // Appends a parameter of a group not below the last one's. `joined`: directly behind the one before.
  void Add(ParameterSpec spec, bool joined = false);

  const std::vector<ParameterSpec>& parameters() const { return parameters_; }
  // Floats of the whole array.
  int64_t total() const { return total_; }
  ParameterRange range(ParameterGroup group) const { return ranges_[static_cast<size_t>(group)]; }
  bool Contains(absl::string_view name) const;
  // The parameter called `name`; the process stops if there is none (names are ours, never a caller's).
  const ParameterSpec& Find(absl::string_view name) const;

  // Initial values of one parameter into `values` [size()]: normal numbers keyed by (seed, name, row), so neither other
  // parameters nor the number of rows change them. Same on every platform up to the rounding of log and cos.
  static void Initialise(const ParameterSpec& spec, uint64_t seed, float* values);
  // The same for every parameter; `weights` has total() elements.
  void Initialise(uint64_t seed, std::span<float> weights) const;

 private:
  std::vector<ParameterSpec> parameters_;
  int64_t total_ = 0;
  std::array<ParameterRange, kParameterGroups> ranges_{};
};

}  // namespace clm
