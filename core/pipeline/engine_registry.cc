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

absl::StatusOr<RegisteredEngine> MakeEngine(ArtifactStore& store, const ArtifactId& checkpoint, uint32_t threads,
                                            const CancellationToken& cancel) {
  CLM_ASSIGN_OR_RETURN(LoadedEngine loaded, LoadEngine(store, checkpoint, cancel));
  EngineSessionOptions options;
  options.lanes = kEngineLanes;
  options.threads = threads;
  CLM_ASSIGN_OR_RETURN(auto predictor, EnginePredictor::Create(loaded.model, options));
  const uint32_t window = predictor->session().window();
  RegisteredEngine engine;
  engine.checkpoint = checkpoint;
  engine.checkpoint_bytes = loaded.checkpoint_bytes;
  engine.engine = std::move(loaded.model);
  engine.representation = std::move(loaded.representation);
  CLM_ASSIGN_OR_RETURN(engine.model, CodingModel::Create(std::move(predictor), engine.representation, window));
  return engine;
}

}  // namespace

absl::StatusOr<RegisteredEngine> EngineRegistry::Get(const ArtifactId& checkpoint, const CancellationToken& cancel) {
  absl::MutexLock lock(&mutex_);
  return GetLocked(checkpoint, cancel);
}

absl::StatusOr<RegisteredEngine> EngineRegistry::GetLocked(const ArtifactId& checkpoint,
                                                           const CancellationToken& cancel) {
  const auto found = std::find_if(engines_.begin(), engines_.end(),
                                  [&](const RegisteredEngine& engine) { return engine.checkpoint == checkpoint; });
  RegisteredEngine engine;
  if (found != engines_.end()) {
    engine = *found;
    engines_.erase(found);
  } else {
    CLM_ASSIGN_OR_RETURN(engine, MakeEngine(store_, checkpoint, threads_, cancel));
    predictors_[checkpoint] = engine.model->parameters().predictor;
    absl::MutexLock models_lock(&models_mutex_);
    std::erase_if(models_, [](const auto& model) { return model.expired(); });
    models_.push_back(engine.model);
  }
  engines_.push_front(engine);
  if (engines_.size() > kKeptEngines) engines_.pop_back();
  return engine;
}

absl::StatusOr<std::shared_ptr<const BlockCoder>> EngineRegistry::TryLocked(const ArtifactId& checkpoint,
                                                                            const CodecParameters& wanted,
                                                                            const CancellationToken& cancel) {
  const auto known = predictors_.find(checkpoint);
  if (known != predictors_.end() && PredictorOf(wanted.codec, known->second) != wanted.predictor) return nullptr;
  const absl::StatusOr<RegisteredEngine> engine = GetLocked(checkpoint, cancel);
  // A checkpoint that cannot be used here is not the one that made the frame.
  if (!engine.ok() || PredictorOf(wanted.codec, engine->model->parameters().predictor) != wanted.predictor) {
    return nullptr;
  }
  CLM_ASSIGN_OR_RETURN(auto coder, MakeModelCoder(wanted.codec, engine->model, wanted.top_k));
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
