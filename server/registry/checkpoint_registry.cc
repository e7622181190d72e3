#include "server/registry/checkpoint_registry.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/base/units.h"
#include "server/metrics/metric_names.h"
#include "server/service/error_detail.h"

namespace clm {
namespace {

std::string DeviceOf(const LoadedModel& model) { return model.facts().device; }

// Weights in memory weigh about what their file does.
absl::StatusOr<uint64_t> EstimateBytes(ArtifactStore& store, const ArtifactId& id) {
  CLM_ASSIGN_OR_RETURN(const std::shared_ptr<const Manifest> manifest, store.Get(id));
  return manifest->TotalSizeBytes();
}

}  // namespace

CheckpointRegistry::Handle::Handle(Handle&& other) noexcept
    : registry_(std::exchange(other.registry_, nullptr)), model_(std::move(other.model_)) {}

CheckpointRegistry::Handle::~Handle() {
  if (registry_ != nullptr) registry_->Release(model_->checkpoint());
}

CheckpointRegistry::CheckpointRegistry(ArtifactStore& store, Loader load, uint64_t budget_bytes, Metrics& metrics,
                                       const Clock& clock)
    : store_(store), load_(std::move(load)), budget_bytes_(budget_bytes), metrics_(metrics), clock_(clock) {}

absl::StatusOr<CheckpointRegistry::Handle> CheckpointRegistry::Acquire(const ArtifactId& id,
                                                                       const CancellationToken& cancel) {
  {
    absl::MutexLock lock(&mu_);
    if (const auto found = entries_.find(id); found != entries_.end()) {
      found->second.last_use = ++uses_;
      ++found->second.info.holders;
      return Handle(this, found->second.info.model);
    }
  }
  absl::MutexLock loading(&load_mu_);
  absl::MutexLock lock(&mu_);
  CLM_ASSIGN_OR_RETURN(Entry* const entry, Find(id, cancel));
  ++entry->info.holders;
  return Handle(this, entry->info.model);
}

absl::StatusOr<LoadedModelInfo> CheckpointRegistry::Load(const ArtifactId& id, const CancellationToken& cancel) {
  absl::MutexLock loading(&load_mu_);
  absl::MutexLock lock(&mu_);
  CLM_ASSIGN_OR_RETURN(Entry* const entry, Find(id, cancel));
  entry->info.keep = true;
  return entry->info;
}

absl::StatusOr<CheckpointRegistry::Entry*> CheckpointRegistry::Find(const ArtifactId& id,
                                                                    const CancellationToken& cancel) {
  if (const auto found = entries_.find(id); found != entries_.end()) {
    found->second.last_use = ++uses_;
    return &found->second;
  }
  CLM_RETURN_IF_ERROR(MakeRoom(id));
  // Others may use what is loaded meanwhile; load_mu_ keeps a second load away.
  mu_.Unlock();
  absl::StatusOr<std::shared_ptr<const LoadedModel>> model = load_(id, cancel);
  mu_.Lock();
  CLM_RETURN_IF_ERROR(model.status());
  Entry entry;
  entry.info.model = *std::move(model);
  entry.info.load_time = clock_.Now();
  entry.last_use = ++uses_;
  const ModelFacts& facts = entry.info.model->facts();
  metrics_.Set(kModelResidentBytes, {id.ShortId(), facts.device}, static_cast<double>(facts.resident_bytes));
  Log(LogLevel::kInfo, "model loaded",
      {{"checkpoint", id.ShortId()}, {"device", facts.device}, {"resident_bytes", facts.resident_bytes}});
  const auto [place, inserted] = entries_.emplace(id, std::move(entry));
  CountModels();
  return &place->second;
}

absl::Status CheckpointRegistry::MakeRoom(const ArtifactId& id) {
  CLM_ASSIGN_OR_RETURN(const uint64_t needed, EstimateBytes(store_, id));
  while (true) {
    uint64_t used = 0;
    auto victim = entries_.end();
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      used += entry->second.info.model->facts().resident_bytes;
      const bool free = entry->second.info.holders == 0 && !entry->second.info.keep;
      if (free && (victim == entries_.end() || entry->second.last_use < victim->second.last_use)) victim = entry;
    }
    if (used + needed <= budget_bytes_) return absl::OkStatus();
    if (victim != entries_.end()) {
      Drop(victim, "budget");
      continue;
    }
    const std::string holders =
        absl::StrJoin(entries_, ", ", [](std::string* out, const auto& entry) { *out += entry.first.ShortId(); });
    return WithReason(absl::ResourceExhaustedError(absl::StrCat(
                          "checkpoint ", id.ShortId(), " needs about ", FormatBytes(needed), ", ", FormatBytes(used),
                          " of ", FormatBytes(budget_bytes_), " are held by ", holders.empty() ? "nobody" : holders)),
                      "MODEL_MEMORY", {{"checkpoint", id.Name()}});
  }
}

void CheckpointRegistry::Drop(std::map<ArtifactId, Entry>::iterator entry, const char* reason) {
  const std::string device = DeviceOf(*entry->second.info.model);
  metrics_.Remove(kModelResidentBytes, {entry->first.ShortId(), device});
  metrics_.Add(kModelEvictions, {reason});
  Log(LogLevel::kInfo, "model dropped", {{"checkpoint", entry->first.ShortId()}, {"reason", reason}});
  entries_.erase(entry);
  CountModels();
}

void CheckpointRegistry::CountModels() {
  std::map<std::string, double> by_device = {{"cpu", 0}};
  for (const auto& [id, entry] : entries_) ++by_device[DeviceOf(*entry.info.model)];
  for (const auto& [device, count] : by_device) metrics_.Set(kModelsLoaded, {device}, count);
}

absl::StatusOr<uint64_t> CheckpointRegistry::Unload(const ArtifactId& id) {
  absl::MutexLock lock(&mu_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return absl::NotFoundError(absl::StrCat(id.Name(), " is not loaded"));
  if (found->second.info.holders > 0) {
    return WithReason(
        absl::FailedPreconditionError(absl::StrCat(id.Name(), " is used by ", found->second.info.holders, " calls")),
        "MODEL_IN_USE", {{"checkpoint", id.Name()}});
  }
  const uint64_t freed = found->second.info.model->facts().resident_bytes;
  Drop(found, "unload");
  return freed;
}

std::vector<LoadedModelInfo> CheckpointRegistry::List() const {
  absl::MutexLock lock(&mu_);
  std::vector<LoadedModelInfo> infos;
  infos.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) infos.push_back(entry.info);
  return infos;
}

void CheckpointRegistry::Release(const ArtifactId& id) {
  absl::MutexLock lock(&mu_);
  if (const auto found = entries_.find(id); found != entries_.end()) --found->second.info.holders;
}

}  // namespace clm
