// CheckpointRegistry: checkpoints in memory, within a budget.
//
// A model is loaded once, however many calls ask for it at the same time, and stays while there is room. When another
// one needs room, the least recently used model that nobody holds and that was not asked to stay is dropped; when that
// is not enough the call is refused, naming who holds the memory. What a model needs is estimated from its file before
// it is loaded.
//
// Thread-safety: thread-safe. Loading blocks the callers of that model, and of other models that are not loaded yet.
// Ownership: a handle keeps its model alive; store and metrics outlive the registry. Handles may outlive neither.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/artifact/artifact_store.h"
#include "core/base/cancellation.h"
#include "core/base/clock.h"
#include "core/pipeline/model_loader.h"
#include "server/metrics/metrics.h"

namespace clm {

struct LoadedModelInfo {
  std::shared_ptr<const LoadedModel> model;
  uint32_t holders = 0;  // calls that use it now
  bool keep = false;     // asked for by LoadModel
  absl::Time load_time;
};

class CheckpointRegistry {
 public:
  using Loader =
      std::function<absl::StatusOr<std::shared_ptr<const LoadedModel>>(const ArtifactId&, const CancellationToken&)>;

  // Use of a model by one call. Movable; gives the model back when it goes.
  class Handle {
   public:
    Handle(CheckpointRegistry* registry, std::shared_ptr<const LoadedModel> model)
        : registry_(registry), model_(std::move(model)) {}
    ~Handle();
    Handle(Handle&& other) noexcept;
    Handle& operator=(Handle&&) = delete;
    Handle(const Handle&) = delete;

    const LoadedModel& operator*() const { return *model_; }
    const LoadedModel* operator->() const { return model_.get(); }

   private:
    CheckpointRegistry* registry_;
    std::shared_ptr<const LoadedModel> model_;
  };

  CheckpointRegistry(ArtifactStore& store, Loader load, uint64_t budget_bytes, Metrics& metrics,
                     const Clock& clock = SystemClock());

  // The model of checkpoint `id`, loading it when needed. RESOURCE_EXHAUSTED over the budget; otherwise as LoadModel.
  absl::StatusOr<Handle> Acquire(const ArtifactId& id, const CancellationToken& cancel);
  // As Acquire, and the model stays until Unload().
  absl::StatusOr<LoadedModelInfo> Load(const ArtifactId& id, const CancellationToken& cancel);
  // The bytes given back. NOT_FOUND when it is not loaded; FAILED_PRECONDITION while calls use it.
  absl::StatusOr<uint64_t> Unload(const ArtifactId& id);
  // By name.
  std::vector<LoadedModelInfo> List() const;

 private:
  struct Entry {
    LoadedModelInfo info;
    uint64_t last_use = 0;
  };

  absl::StatusOr<Entry*> Find(const ArtifactId& id, const CancellationToken& cancel)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(load_mu_, mu_);
  absl::Status MakeRoom(const ArtifactId& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(load_mu_, mu_);
  void Drop(std::map<ArtifactId, Entry>::iterator entry, const char* reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void CountModels() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Release(const ArtifactId& id);

  ArtifactStore& store_;
  const Loader load_;
  const uint64_t budget_bytes_;
  Metrics& metrics_;
  const Clock& clock_;

  absl::Mutex load_mu_ ABSL_ACQUIRED_BEFORE(mu_);  // held while loading: one load at a time
  mutable absl::Mutex mu_;
  std::map<ArtifactId, Entry> entries_ ABSL_GUARDED_BY(mu_);
  uint64_t uses_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace clm
