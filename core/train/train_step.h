// TrainStep: one batch through a transformer, forward and backward, in micro-batches without padding.
//
// The loss of a step is the MEAN of nats over the step's targets. A step has a fixed number of ORIGINAL bytes, so runs
// on different representations divide by different target counts but see the same text per step.
//
// Internal to core/train (LibTorch types). Run() may throw c10::Error.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "core/data/batch.h"
#include "core/model/transformer/transformer.h"

namespace clm {

struct StepLoss {
  double nats = 0;  // summed over the targets
  uint64_t targets = 0;
  uint64_t original_bytes = 0;
};

class TrainStep {
 public:
  // `micro_batch_symbols` >= 1; `document_mask` as in TrainConfig. `model` has gradients enabled and outlives this.
  TrainStep(Transformer& model, uint64_t micro_batch_symbols, bool document_mask);

  // Replaces the model's gradients by those of the mean loss of `batch`. INVALID_ARGUMENT when rows are longer than
  // max_positions; OUT_OF_RANGE for a symbol beyond the vocabulary.
  absl::StatusOr<StepLoss> Run(const Batch& batch);

  // The micro-batches Run() makes of `batch`: every counting target once, padding left out. For tests.
  std::vector<TokenBatch> Split(const Batch& batch) const;

 private:
  absl::Status Check(const Batch& batch) const;

  Transformer& model_;
  const uint64_t micro_batch_symbols_;
  const bool document_mask_;
  Workspace workspace_;
};

}  // namespace clm
