// EngineRegistry: checkpoints as integer models that code, each with lanes that all calls share.
//
// A model is made once per window that it looks back on, however many calls ask for it at the same time, and the few
// used last are kept. A frame names its model by fingerprints only: Find() asks the models that are here, then makes
// the others of the store, newest first, until one fits; which fingerprints a checkpoint gives is remembered.
//
// Thread-safety: thread-safe; making a model blocks others that wait for one. Ownership: a coder keeps its model alive;
// store and metrics outlive the registry.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/artifact/artifact_store.h"
#include "core/base/cancellation.h"
#include "core/codec/block_coder.h"
#include "core/codec/coding_model.h"
#include "core/engine/engine_model.h"
#include "core/representation/representation.h"

namespace clm {

// Blocks that a model codes together; as many threads wait for it.
inline constexpr uint32_t kEngineLanes = 32;

struct RegisteredEngine {
  ArtifactId checkpoint;
  std::shared_ptr<const EngineModel> engine;
  std::shared_ptr<const Representation> representation;
  std::shared_ptr<const CodingModel> model;  // both on lanes
  uint32_t window = 0;                       // symbols that a prediction looks back on
  uint64_t checkpoint_bytes = 0;
};

class EngineRegistry {
 public:
  // `threads`: that one model computes on.
  EngineRegistry(ArtifactStore& store, uint32_t threads) : store_(store), threads_(threads) {}

  // `window` 0: the longest that the checkpoint allows. The errors of LoadEngine; INVALID_ARGUMENT for a longer one.
  absl::StatusOr<RegisteredEngine> Get(const ArtifactId& checkpoint, uint32_t window, const CancellationToken& cancel)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // The coder of exactly these parameters, which need a model. FAILED_PRECONDITION naming the wanted predictor when no
  // checkpoint of the store gives it, or one gives it with another canary or representation.
  absl::StatusOr<std::shared_ptr<const BlockCoder>> Find(const CodecParameters& wanted, const CancellationToken& cancel)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Lanes with work now, over all models that live. Does not wait for one that is being made.
  size_t lanes_in_use() const ABSL_LOCKS_EXCLUDED(models_mutex_);

 private:
  // A model and the window it looks back on.
  using Key = std::pair<ArtifactId, uint32_t>;

  absl::StatusOr<RegisteredEngine> GetLocked(const Key& key, const CancellationToken& cancel)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<RegisteredEngine> MakeEngine(const Key& key, const CancellationToken& cancel)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The coder, none when the checkpoint's predictor is another one.
  absl::StatusOr<std::shared_ptr<const BlockCoder>> TryLocked(const ArtifactId& checkpoint,
                                                              const CodecParameters& wanted,
                                                              const CancellationToken& cancel)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  ArtifactStore& store_;
  const uint32_t threads_;
  mutable absl::Mutex mutex_;
  std::deque<RegisteredEngine> engines_ ABSL_GUARDED_BY(mutex_);            // the last used first
  std::map<ArtifactId, std::string> fingerprints_ ABSL_GUARDED_BY(mutex_);  // of every checkpoint that was here

  mutable absl::Mutex models_mutex_;  // taken after mutex_
  // Made here, also those that only a call still uses.
  std::vector<std::weak_ptr<const CodingModel>> models_ ABSL_GUARDED_BY(models_mutex_);
};

}  // namespace clm
