#include "core/pipeline/engine_registry.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/codec/codec_set.h"
#include "core/codec/model_coders.h"
#include "core/engine/engine_predictor.h"
#include "core/pipeline/engine_loader.h"

namespace clm {
namespace {

constexpr size_t kKeptEngines = 4;

}  // namespace

absl::StatusOr<RegisteredEngine> EngineRegistry::Get(const ArtifactId& checkpoint, uint32_t window,
                                                     const CancellationToken& cancel) {
  absl::MutexLock lock(&mutex_);
  return GetLocked({checkpoint, window}, cancel);
}

absl::StatusOr<RegisteredEngine> EngineRegistry::MakeEngine(const Key& key, const CancellationToken& cancel) {
  const auto other = std::find_if(engines_.begin(), engines_.end(),
                                  [&](const RegisteredEngine& engine) { return engine.checkpoint == key.first; });
  RegisteredEngine engine;
  if (other != engines_.end()) {
    engine = *other;  // with another window
  } else {
    CLM_ASSIGN_OR_RETURN(LoadedEngine loaded, LoadEngine(store_, key.first, cancel));
    engine = {.checkpoint = key.first,
              .engine = std::move(loaded.model),
              .representation = std::move(loaded.representation),
              .model = nullptr,
              .window = 0,
              .checkpoint_bytes = loaded.checkpoint_bytes};
  }
  EngineSessionOptions options;
  options.lanes = kEngineLanes;
  options.threads = threads_;
  options.window = key.second;
  CLM_ASSIGN_OR_RETURN(auto predictor, EnginePredictor::Create(engine.engine, options));
  engine.window = predictor->session().window();
  CLM_ASSIGN_OR_RETURN(engine.model, CodingModel::Create(std::move(predictor), engine.representation, engine.window));
  absl::MutexLock models_lock(&models_mutex_);
  models_.push_back(engine.model);
  return engine;
}

absl::StatusOr<RegisteredEngine> EngineRegistry::GetLocked(const Key& key, const CancellationToken& cancel) {
  const auto found = std::find_if(engines_.begin(), engines_.end(), [&](const RegisteredEngine& engine) {
    const uint32_t window = key.second == 0 ? engine.engine->max_window() : key.second;
    return engine.checkpoint == key.first && engine.window == window;
  });
  RegisteredEngine engine;
  if (found != engines_.end()) {
    engine = *found;
    engines_.erase(found);
  } else {
    CLM_ASSIGN_OR_RETURN(engine, MakeEngine(key, cancel));
    fingerprints_[key.first] = engine.engine->fingerprint();
  }
  engines_.push_front(engine);
  if (engines_.size() > kKeptEngines) engines_.pop_back();
  return engine;
}

absl::StatusOr<std::shared_ptr<const BlockCoder>> EngineRegistry::TryLocked(const ArtifactId& checkpoint,
                                                                            const CodecParameters& wanted,
                                                                            const CancellationToken& cancel) {
  // A checkpoint that cannot be used here is not the one that made the frame.
  if (!fingerprints_.contains(checkpoint) && !GetLocked({checkpoint, 0}, cancel).ok()) return nullptr;
  // What a frame claims makes no model before it is one that this checkpoint can give.
  const std::string fingerprint = EnginePredictor::FingerprintOf(fingerprints_[checkpoint], wanted.window_symbols);
  if (PredictorOf(wanted.codec, ShortFingerprintOf(fingerprint)) != wanted.predictor) return nullptr;
  CLM_ASSIGN_OR_RETURN(const RegisteredEngine engine, GetLocked({checkpoint, wanted.window_symbols}, cancel));
  CLM_ASSIGN_OR_RETURN(auto coder, MakeModelCoder(wanted.codec, engine.model, wanted.top_k));
  CodecSet set;
  set.Add(std::move(coder));
  return set.Find(wanted);  // says what differs beside the predictor
}

absl::StatusOr<std::shared_ptr<const BlockCoder>> EngineRegistry::Find(const CodecParameters& wanted,
                                                                       const CancellationToken& cancel) {
  absl::MutexLock lock(&mutex_);
  ListArtifactsOptions list;
  list.kind = ArtifactKind::kCheckpoint;
  size_t looked_at = 0;
  do {
    CLM_ASSIGN_OR_RETURN(ArtifactPage page, store_.List(list));
    for (const std::shared_ptr<const Manifest>& manifest : page.artifacts) {
      CLM_RETURN_IF_ERROR(cancel.Check());
      CLM_ASSIGN_OR_RETURN(auto coder, TryLocked(manifest->id, wanted, cancel));
      if (coder != nullptr) return coder;
      ++looked_at;
    }
    list.page_token = page.next_page_token;
  } while (!list.page_token.empty());
  return absl::FailedPreconditionError(absl::StrCat("the frame needs a checkpoint with predictor ",
                                                    ToHex(wanted.predictor), " (", CodecName(wanted.codec),
                                                    "); none of the ", looked_at, " checkpoints here is it"));
}

size_t EngineRegistry::lanes_in_use() const {
  std::vector<std::shared_ptr<const CodingModel>> alive;  // let go without the lock: the last one may end a thread
  {
    absl::MutexLock lock(&models_mutex_);
    for (const std::weak_ptr<const CodingModel>& model : models_) {
      if (auto locked = model.lock()) alive.push_back(std::move(locked));
    }
  }
  size_t lanes = 0;
  for (const auto& model : alive) lanes += model->lanes().lanes_in_use();
  return lanes;
}

}  // namespace clm
