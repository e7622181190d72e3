#include "core/pipeline/train.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/data/batcher.h"
#include "core/data/prepared_corpus.h"
#include "core/model/model.h"
#include "core/pipeline/model_loader.h"
#include "core/pipeline/representation_loader.h"
#include "core/train/trainer.h"

namespace clm {
namespace {

constexpr uint64_t kDefaultValidations = 10;
constexpr uint64_t kDefaultCheckpoints = 8;

// Everything that one run works with.
struct Run {
  std::unique_ptr<IdStream> build;
  std::unique_ptr<IdStreamBatcher> batches;
  std::unique_ptr<Model> model;
  ValidationSample validation;
};

// The documents from the start of the split, until there are `bytes` of them.
ValidationSample Sample(const IdStream& stream, uint64_t bytes) {
  ValidationSample sample;
  for (uint64_t d = 0; d < stream.documents() && sample.original_bytes < bytes; ++d) {
    sample.documents.emplace_back();
    stream.ReadDocument(d, sample.documents.back());
    sample.original_bytes += stream.DocumentBytes(d);
  }
  if (sample.original_bytes == 0) sample.documents.clear();
  return sample;
}

absl::StatusOr<std::shared_ptr<const RowComposition>> Compose(const LoadedRepresentation& loaded) {
  const uint32_t vocab_size = loaded.representation->layout().vocab_size;
  const bool coordinates = loaded.universe.has_value();
  std::vector<std::vector<SymbolId>> leaves(vocab_size);
  for (SymbolId id = 0; id < vocab_size; ++id) {
    if (coordinates) {
      CLM_RETURN_IF_ERROR(loaded.universe->Unfold(std::vector<SymbolId>{id}, leaves[id]));
    } else {
      leaves[id] = {id};
    }
  }
  CLM_ASSIGN_OR_RETURN(RowComposition composition, RowComposition::Create(leaves, /*base_residuals=*/!coordinates));
  return std::make_shared<const RowComposition>(std::move(composition));
}

absl::StatusOr<std::unique_ptr<Model>> MakeModel(const TrainOptions& options, const LoadedRepresentation& loaded) {
  ModelConfig config = options.model;
  config.vocab_size = loaded.representation->layout().vocab_size;
  config.boundary = loaded.representation->layout().boundary;
  ModelOptions model_options;
  model_options.device = options.device;
  model_options.seed = options.seed;
  if (options.compose_rows) {
    config.tie_embeddings = false;
    CLM_ASSIGN_OR_RETURN(model_options.composition, Compose(loaded));
  }
  return Model::Create(config, model_options);
}

absl::StatusOr<Run> Open(const TrainOptions& options, const LoadedRepresentation& loaded,
                         const PipelineContext& context) {
  CLM_ASSIGN_OR_RETURN(const PreparedCorpus corpus,
                       PreparedCorpus::Open(context.files, context.store.Folder(options.corpus)));
  Run run;
  CLM_ASSIGN_OR_RETURN(run.build, corpus.OpenStream(Split::kBuild, options.representation));
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<IdStream> validation,
                       corpus.OpenStream(Split::kValidation, options.representation));
  run.validation = Sample(*validation, options.validation_bytes);
  BatcherOptions batching;
  batching.bytes_per_step = options.train.bytes_per_step;
  batching.columns = static_cast<size_t>(options.model.max_positions);
  batching.seed = options.seed;
  CLM_ASSIGN_OR_RETURN(run.batches,
                       IdStreamBatcher::Create(*run.build, SymbolByteCounts(*loaded.representation), batching));
  CLM_ASSIGN_OR_RETURN(run.model, MakeModel(options, loaded));
  return run;
}

TrainerOptions MakeTrainerOptions(const TrainOptions& options, const LoadedRepresentation& loaded,
                                  ValidationSample validation, const PipelineContext& context) {
  TrainerOptions trainer;
  trainer.config = options.train;
  const uint64_t steps = trainer.config.total_steps();
  trainer.config.warmup_steps = static_cast<uint64_t>(std::llround(options.warmup_ratio * static_cast<double>(steps)));
  if (trainer.config.validation_interval == 0) {
    trainer.config.validation_interval = std::max<uint64_t>(steps / kDefaultValidations, 1);
  }
  if (trainer.config.checkpoint_interval == 0) {
    trainer.config.checkpoint_interval = std::max<uint64_t>(steps / kDefaultCheckpoints, 1);
  }
  trainer.checkpoint_folder = JoinPath(context.work_folder, "checkpoints");
  trainer.run_key = absl::StrCat(options.corpus.Name(), "|", loaded.representation->fingerprint(), "|", options.seed,
                                 "|", options.compose_rows);
  trainer.validation = std::move(validation);
  return trainer;
}

absl::StatusOr<ArtifactId> CommitCheckpoint(const TrainOptions& options, const LoadedRepresentation& loaded,
                                            const Model& model, const TrainReport& report,
                                            const PipelineContext& context) {
  CLM_ASSIGN_OR_RETURN(ArtifactDraft draft, context.store.NewDraft(ArtifactKind::kCheckpoint));
  CLM_RETURN_IF_ERROR(model.Save(context.files, draft.folder()));
  CommitOptions commit;
  commit.parents = {options.corpus};
  commit.attributes = {{kRepresentationAttribute, options.representation},
                       {kFingerprintAttribute, loaded.representation->fingerprint()},
                       {kTrainedBytesAttribute, absl::StrCat(report.original_bytes)},
                       {kTrainedSymbolsAttribute, absl::StrCat(report.targets)}};
  commit.cancel = context.cancel;
  return draft.Commit(commit);
}

absl::StatusOr<ArtifactId> CommitReport(const ArtifactId& checkpoint, const TrainReport& report,
                                        const PipelineContext& context) {
  CLM_ASSIGN_OR_RETURN(ArtifactDraft draft, context.store.NewDraft(ArtifactKind::kReport));
  CLM_RETURN_IF_ERROR(draft.WriteFile("train_report.json", report.ToJson()));
  CommitOptions commit;
  commit.parents = {checkpoint};
  commit.attributes = {{"report", "train"}};
  return draft.Commit(commit);
}

}  // namespace

absl::StatusOr<TrainOutcome> RunTrain(const TrainOptions& options, const PipelineContext& context) {
  CLM_RETURN_IF_ERROR(options.Validate());
  CLM_ASSIGN_OR_RETURN(const LoadedRepresentation loaded,
                       LoadRepresentation(context.store, options.corpus, options.representation, context.cancel));
  CLM_ASSIGN_OR_RETURN(Run run, Open(options, loaded, context));
  CLM_ASSIGN_OR_RETURN(
      const std::unique_ptr<Trainer> trainer,
      Trainer::Create(*run.model, *run.batches, MakeTrainerOptions(options, loaded, std::move(run.validation), context),
                      context.files, context.clock));
  TrainOutcome outcome;
  CLM_ASSIGN_OR_RETURN(outcome.result, trainer->Run(context.cancel, context.progress));
  CLM_ASSIGN_OR_RETURN(outcome.checkpoint, CommitCheckpoint(options, loaded, *run.model, outcome.result, context));
  CLM_ASSIGN_OR_RETURN(outcome.report, CommitReport(outcome.checkpoint, outcome.result, context));
  return outcome;
}

}  // namespace clm
