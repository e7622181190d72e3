// EvaluateBPB: a checkpoint and documents to a report in bits per ORIGINAL byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/artifact/artifact_id.h"
#include "core/data/corpus_reader.h"
#include "core/data/split.h"
#include "core/eval/bpb_report.h"
#include "core/eval/compare.h"
#include "core/pipeline/context.h"
#include "core/pipeline/model_loader.h"

namespace clm {

struct EvaluateOptions {
  ArtifactId checkpoint;
  // A split of the checkpoint's corpus, unless `inputs` name other documents.
  Split split = Split::kValidation;
  std::vector<std::string> inputs;
  CorpusReaderOptions reader;
  // Symbols of left context that a window of a long document keeps; 0 for half of the model's context.
  uint32_t context_overlap = 0;
  // Documents scored together; no effect on the result. Range [1, 4096].
  uint32_t batch_documents = 256;
  // Range [100, 100000].
  uint32_t bootstrap_resamples = 1000;
  std::string device = "auto";
  // Whole documents in stored order up to about this many ORIGINAL bytes; 0 for all.
  uint64_t max_bytes = 0;
  // Also measure the decoded bytes per second of generation (batch 1, boundary masked, median of five runs).
  bool measure_generation = false;

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

struct EvaluateOutcome {
  ArtifactId report;
  BpbReport result;
};

absl::StatusOr<EvaluateOutcome> RunEvaluate(const EvaluateOptions& options, const PipelineContext& context);

// The report of `model`, without committing it: what RunEvaluate does after loading.
absl::StatusOr<BpbReport> EvaluateModel(const LoadedModel& model, const EvaluateOptions& options,
                                        const PipelineContext& context);

// Two committed reports side by side. INVALID_ARGUMENT when one is not a report of EvaluateBPB; otherwise as
// CompareReports.
absl::StatusOr<Comparison> RunCompare(ArtifactStore& store, const ArtifactId& baseline, const ArtifactId& candidate);

}  // namespace clm
