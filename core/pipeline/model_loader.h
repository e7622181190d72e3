// LoadedModel: a checkpoint ready for use: weights on a device, and the representation that its symbols belong to.
//
// One artifact id gives everything: the checkpoint names its representation and its corpus, and the corpus holds
// tokenizer and universe. A checkpoint whose representation is not the one it was trained with is refused.
//
// Thread-safety: const methods may run on any thread; scorers and steppers belong to one thread each and may outlive
// the LoadedModel. Errors: NOT_FOUND, DATA_LOSS (digests), FAILED_PRECONDITION (device, fingerprint), UNIMPLEMENTED in
// a build without LibTorch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/artifact/artifact_store.h"
#include "core/base/cancellation.h"
#include "core/base/file_io.h"
#include "core/pipeline/representation_loader.h"
#include "core/predict/next_symbol_model.h"
#include "core/predict/sequence_scorer.h"

namespace clm {

// Keys of a checkpoint's attributes.
inline constexpr char kTrainedBytesAttribute[] = "trained_bytes";
inline constexpr char kTrainedSymbolsAttribute[] = "trained_symbols";

// Numbers about a model that reports need.
struct ModelFacts {
  uint64_t body_parameters = 0;
  uint64_t embedding_parameters = 0;
  uint64_t head_parameters = 0;  // 0 when tied to the embedding
  // Forward floating-point operations per symbol at half of the context: 2 per multiply-add, attention and head
  // counted.
  double flops_per_symbol = 0;
  uint32_t context = 0;  // longest context in symbols
  uint64_t resident_bytes = 0;
  std::string device;          // "cpu" or "cuda"
  uint64_t trained_bytes = 0;  // ORIGINAL bytes read in training
  uint64_t trained_symbols = 0;

  uint64_t parameters() const { return body_parameters + embedding_parameters + head_parameters; }
};

class LoadedModel {
 public:
  virtual ~LoadedModel() = default;

  const ArtifactId& checkpoint() const { return checkpoint_; }
  // The corpus it was trained on.
  const ArtifactId& corpus() const { return corpus_; }
  const Representation& representation() const { return *representation_; }
  const ModelFacts& facts() const { return facts_; }

  // Both are to be called on the thread that will use the result: the number of threads inside an operation is a
  // setting of the calling thread (all for scoring, one for stepping). `overlap`: left context that a window of a long
  // document keeps, in symbols; 0 for half of the context.
  virtual absl::StatusOr<std::unique_ptr<SequenceScorer>> NewScorer(uint32_t overlap) const = 0;
  virtual absl::StatusOr<std::unique_ptr<NextSymbolModel>> NewStepper() const = 0;

 protected:
  ArtifactId checkpoint_;
  ArtifactId corpus_;
  std::shared_ptr<const Representation> representation_;
  ModelFacts facts_;
};

// Loads checkpoint `id`. `device` is "auto", "cpu" or "cuda".
absl::StatusOr<std::shared_ptr<const LoadedModel>> LoadModel(ArtifactStore& store, const ArtifactId& id,
                                                             absl::string_view device, const CancellationToken& cancel);

// Version of LibTorch in this build, "2.11.0"; empty without it.
std::string LibTorchVersion();
// What `device` may name on this machine: "cpu", and "cuda" where it can be used.
std::vector<std::string> UsableDevices();

}  // namespace clm
