// Trainer: the training loop.
//
// Step k takes batch k of the source, computes the gradient of the mean loss over its targets, limits its norm and
// updates the weights. With checkpoints on, a run that ends at any moment and is started again continues from the
// newest whole checkpoint and, on the CPU with the same number of threads, ends with the same weights bit for bit as a
// run that was never interrupted.
//
// Progress (phase "train", unit "steps"): about twice a second and after every validation, with
// train_loss_nats_per_byte (mean since the last report), learning_rate, original_bytes_per_second, step_seconds and,
// once known, validation_bits_per_byte.
//
// Thread-safety: one thread. Errors: what the source and the file system report; CANCELLED; FAILED_PRECONDITION when
// the loss is no longer a number (naming the step) or the folder belongs to another run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/base/clock.h"
#include "core/base/file_io.h"
#include "core/base/progress.h"
#include "core/base/types.h"
#include "core/data/batch.h"
#include "core/model/model.h"
#include "core/train/train_config.h"
#include "core/train/train_report.h"

namespace clm {

// Held-out documents for validation while training. Empty: no validation.
struct ValidationSample {
  // As SequenceScorer takes them: with the final boundary symbol.
  std::vector<std::vector<SymbolId>> documents;
  uint64_t original_bytes = 0;  // of all of them; > 0 unless there are none
};

struct TrainerOptions {
  TrainConfig config;
  // For checkpoints while training; empty: none are written or read.
  std::string checkpoint_folder;
  // Whatever else decides the run: corpus, representation, seed of the data and of the weights. Goes into the digest
  // that a checkpoint must agree with.
  std::string run_key;
  ValidationSample validation;
};

class Trainer {
 public:
  // All arguments outlive the trainer. INVALID_ARGUMENT for a config out of range or a source with another vocabulary.
  static absl::StatusOr<std::unique_ptr<Trainer>> Create(Model& model, BatchSource& source, TrainerOptions options,
                                                         FileSystem& files = PosixFileSystem(),
                                                         const Clock& clock = SystemClock());
  virtual ~Trainer() = default;

  // Trains to the end, once. After an error (CANCELLED included) the model holds the weights of some step; a new
  // trainer over a fresh model continues from the last checkpoint. When cancelled, a checkpoint of the last whole step
  // is written first if checkpoints are on.
  virtual absl::StatusOr<TrainReport> Run(const CancellationToken& cancel, const ProgressSink& progress) = 0;
};

}  // namespace clm
