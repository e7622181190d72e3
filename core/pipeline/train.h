// Train: a corpus to a checkpoint.
//
//   1 open corpus and representation      3 train, with checkpoints in the work folder
//   2 make batches and model              4 commit checkpoint and report
//
// A second attempt continues from the work folder's newest checkpoint and ends with the same weights, bit for bit on
// the CPU with the same number of threads. The checkpoint's identity holds no times, so equal runs give equal
// artifacts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/artifact/artifact_id.h"
#include "core/checkpoint/model_config.h"
#include "core/pipeline/context.h"
#include "core/train/train_config.h"
#include "core/train/train_report.h"

namespace clm {

struct TrainOptions {
  ArtifactId corpus;
  std::string representation = "token";
  // Vocabulary and boundary come from the representation. compose_rows needs untied tables, which it gets by itself.
  ModelConfig model;
  // Rows composed from the rows of their parts while training; for the token representation: a tied table with an
  // untied correction of the output side.
  bool compose_rows = false;
  // bytes_budget and bytes_per_step say how much is read; the rest as documented there.
  TrainConfig train;
  // Share of the steps spent warming up; replaces train.warmup_steps. Range [0, 1].
  double warmup_ratio = 0.05;
  uint64_t seed = 0;
  std::string device = "auto";
  // ORIGINAL bytes of validation documents for the samples during training; 0 for none.
  uint64_t validation_bytes = 65'536;

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

struct TrainOutcome {
  ArtifactId checkpoint;
  ArtifactId report;
  TrainReport result;
};

absl::StatusOr<TrainOutcome> RunTrain(const TrainOptions& options, const PipelineContext& context);

}  // namespace clm
