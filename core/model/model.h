// Model: a transformer with its weights on a device, free of LibTorch types: what other folders hold.
//
//   CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Model> model, Model::Load(files, folder, "auto"));
//   CLM_ASSIGN_OR_RETURN(const std::unique_ptr<SequenceScorer> scorer, model->NewScorer({}));
//
// Thread-safety: const methods may run concurrently; scorers and steppers belong to one thread each. Ownership: scorers
// and steppers share the weights and may outlive the model. A model that is being trained changes under its scorers
// between steps, never during a call of the training thread.
// Errors: INTERNAL or RESOURCE_EXHAUSTED (memory) for what LibTorch reports; it throws nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file_io.h"
#include "core/checkpoint/model_config.h"
#include "core/model/device.h"
#include "core/model/row_composition.h"
#include "core/model/scorer_options.h"
#include "core/predict/next_symbol_model.h"
#include "core/predict/sequence_scorer.h"

namespace clm {

class Transformer;

struct ModelOptions {
  // "auto", "cpu" or "cuda"; see device.h.
  std::string device = "auto";
  // Decides the initial weights.
  uint64_t seed = 0;
  // Rows of the vocabulary tables built from their parts during training; null: plain tables. Its vocabulary must be
  // the config's, whose tables must not be tied.
  std::shared_ptr<const RowComposition> composition = nullptr;
};

class Model {
 public:
  // A model with initial weights, a pure function of config, seed and composition. INVALID_ARGUMENT for options that do
  // not fit; FAILED_PRECONDITION when "cuda" is asked for and missing.
  static absl::StatusOr<std::unique_ptr<Model>> Create(const ModelConfig& config, const ModelOptions& options);
  // A checkpoint folder (checkpoint.h).
  static absl::StatusOr<std::unique_ptr<Model>> Load(const FileSystem& files, const std::string& folder,
                                                     const std::string& device);
  ~Model();

  // Writes config.json and model.safetensors into the existing folder `folder`. Composed rows are folded into plain
  // untied tables; the saved model gives the same logits.
  absl::Status Save(FileSystem& files, const std::string& folder) const;

  const ModelConfig& config() const;
  DeviceKind device() const;
  // Of the model as saved.
  ParameterCounts parameter_counts() const { return CountParameters(config()); }
  // Values that training changes; differs from parameter_counts().total() with composed rows.
  uint64_t trainable_parameters() const;
  // Weights and tables in memory, gradients and caches not included.
  uint64_t resident_bytes() const;

  // INVALID_ARGUMENT for options out of range.
  absl::StatusOr<std::unique_ptr<SequenceScorer>> NewScorer(const ScorerOptions& options) const;
  // `stride`: how far the window moves when it is full; 0: half of it. Range [0, max_positions].
  absl::StatusOr<std::unique_ptr<NextSymbolModel>> NewStepper(int stride = 0) const;

  // For core/train.
  const std::shared_ptr<Transformer>& transformer() const { return transformer_; }

 private:
  explicit Model(std::shared_ptr<Transformer> transformer);

  const std::shared_ptr<Transformer> transformer_;
};

}  // namespace clm
