#include "core/train/trainer.h"

#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/digest.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/base/units.h"
#include "core/model/determinism.h"
#include "core/model/torch_status.h"
#include "core/model/transformer/transformer.h"
#include "core/train/lr_schedule.h"
#include "core/train/optimizer.h"
#include "core/train/train_checkpoints.h"
#include "core/train/train_step.h"

namespace clm {
namespace {

constexpr absl::Duration kProgressInterval = absl::Milliseconds(500);
// Weight of one step in the smoothed loss: about the last fifty steps count.
constexpr double kLossSmoothing = 0.02;

// What has happened since the last progress report.
struct Interval {
  absl::Duration begin;
  uint64_t steps = 0;
  double nats = 0;
  uint64_t original_bytes = 0;
};

std::string RunDigest(const Model& model, const TrainerOptions& options) {
  const RowComposition* composition = model.transformer()->composition();
  return Sha256Hex(absl::StrCat("clm training run 1\n", options.config.DecidingFields(), "\n",
                                ModelConfigToJson(model.config()),
                                composition == nullptr ? "plain" : composition->Fingerprint(), "\n", options.run_key));
}

class TransformerTrainer final : public Trainer {
 public:
  TransformerTrainer(Model& model, BatchSource& source, TrainerOptions options, FileSystem& files, const Clock& clock)
      : model_(model),
        transformer_(*model.transformer()),
        source_(source),
        options_(std::move(options)),
        clock_(clock),
        schedule_(options_.config),
        checkpoints_(files, options_.checkpoint_folder, transformer_.layout(), options_.config.keep_last) {}

  absl::StatusOr<TrainReport> Run(const CancellationToken& cancel, const ProgressSink& progress) override {
    CLM_RETURN_IF_ERROR(ConfigureDeterminism(options_.config.threads));
    progress_ = progress;
    return CatchTorch("training", [&]() -> absl::StatusOr<TrainReport> {
      CLM_RETURN_IF_ERROR(Start());
      CLM_RETURN_IF_ERROR(ValidateIfDue(cancel));  // when the run stopped between a step and its validation
      CLM_RETURN_IF_ERROR(Loop(cancel));
      return Report();
    });
  }

 private:
  bool keeps_checkpoints() const { return !options_.checkpoint_folder.empty(); }
  bool IsDue(uint64_t interval) const { return interval > 0 && state_.step % interval == 0; }
  uint64_t total_steps() const { return options_.config.total_steps(); }

  absl::Status Start();
  absl::Status Loop(const CancellationToken& cancel);
  absl::Status OneStep();
  absl::Status AfterStep(const CancellationToken& cancel);
  // Validates when this step is one for it and has not been.
  absl::Status ValidateIfDue(const CancellationToken& cancel);
  // Keeps what was trained, then returns `reason`.
  absl::Status Stop(const absl::Status& reason);
  absl::Status WriteCheckpoint();
  absl::Status Restore();
  void TellProgress(bool always);
  TrainReport Report() const;

  // The flat arrays on the CPU; copies when the model is elsewhere.
  std::vector<at::Tensor> HostArrays() {
    std::vector<at::Tensor> arrays;
    for (const at::Tensor& t : {transformer_.weights(), optimizer_->first_moments(), optimizer_->second_moments()}) {
      arrays.push_back(t.to(at::kCPU));
    }
    return arrays;
  }
  template <typename Float>
  static TrainArrays<Float> SpansOf(std::vector<at::Tensor>& arrays) {
    const auto span = [](at::Tensor& t) {
      return std::span<Float>(t.data_ptr<float>(), static_cast<size_t>(t.numel()));
    };
    return {span(arrays[0]), span(arrays[1]), span(arrays[2])};
  }

  Model& model_;
  Transformer& transformer_;
  BatchSource& source_;
  const TrainerOptions options_;
  const Clock& clock_;
  const LrSchedule schedule_;
  TrainCheckpoints checkpoints_;
  ProgressSink progress_;

  std::optional<Optimizer> optimizer_;
  std::optional<TrainStep> step_;
  std::unique_ptr<SequenceScorer> scorer_;
  Batch batch_;
  TrainState state_;
  uint64_t resumed_from_step_ = 0;
  uint64_t stored_step_ = 0;  // of the newest checkpoint
  std::vector<std::string> notes_;
  Interval interval_;
};

absl::Status TransformerTrainer::Start() {
  transformer_.EnableGradients();
  optimizer_.emplace(transformer_.layout(), options_.config, transformer_.weights());
  step_.emplace(transformer_, options_.config.micro_batch_symbols, options_.config.document_mask);
  CLM_ASSIGN_OR_RETURN(scorer_, model_.NewScorer({}));
  state_.run_digest = RunDigest(model_, options_);
  state_.threads = ComputeThreads();
  if (keeps_checkpoints()) CLM_RETURN_IF_ERROR(Restore());
  interval_ = {.begin = clock_.Monotonic()};
  return absl::OkStatus();
}

absl::Status TransformerTrainer::Restore() {
  std::vector<at::Tensor> arrays = HostArrays();
  CLM_ASSIGN_OR_RETURN(const std::optional<TrainState> found,
                       checkpoints_.RestoreNewest(state_.run_digest, SpansOf<float>(arrays), notes_));
  for (const std::string& note : notes_) Log(LogLevel::kWarning, "training checkpoint", {{"note", note}});
  if (!found.has_value()) return absl::OkStatus();
  transformer_.weights().copy_(arrays[0]);
  optimizer_->first_moments().copy_(arrays[1]);
  optimizer_->second_moments().copy_(arrays[2]);
  transformer_.RefreshTables();
  if (found->threads != state_.threads) {
    notes_.push_back(absl::StrCat("resumed with ", state_.threads, " threads, started with ", found->threads,
                                  ": sums round differently"));
  }
  const int threads = state_.threads;
  state_ = *found;
  state_.threads = threads;
  resumed_from_step_ = state_.step;
  stored_step_ = state_.step;
  Log(LogLevel::kInfo, "training resumes", {{"step", state_.step}});
  return absl::OkStatus();
}

absl::Status TransformerTrainer::Loop(const CancellationToken& cancel) {
  while (state_.step < total_steps()) {
    if (const absl::Status stopped = cancel.Check(); !stopped.ok()) return Stop(stopped);
    CLM_RETURN_IF_ERROR(OneStep());
    CLM_RETURN_IF_ERROR(AfterStep(cancel));
  }
  return absl::OkStatus();
}

absl::Status TransformerTrainer::OneStep() {
  const absl::Duration begin = clock_.Monotonic();
  CLM_RETURN_IF_ERROR(source_.Get(state_.step, batch_));
  CLM_ASSIGN_OR_RETURN(const StepLoss loss, step_->Run(batch_));
  const double norm = optimizer_->GradientNorm(transformer_.gradients());
  if (!std::isfinite(loss.nats) || !std::isfinite(norm)) {
    return absl::FailedPreconditionError(absl::StrCat("training diverged at step ", state_.step, ": loss ", loss.nats,
                                                      " nats, gradient norm ", norm, "; a lower learning_rate than ",
                                                      options_.config.learning_rate, " may help"));
  }
  // A step whose bytes no symbol starts in has no targets and moves nothing.
  if (loss.targets > 0) {
    optimizer_->Step(state_.step, schedule_.At(state_.step), norm, transformer_.weights(), transformer_.gradients());
    transformer_.RefreshTables();
  }
  ++state_.step;
  state_.original_bytes += loss.original_bytes;
  state_.targets += loss.targets;
  state_.seconds += absl::ToDoubleSeconds(clock_.Monotonic() - begin);
  if (loss.original_bytes > 0) {
    const double nats_per_byte = loss.nats / static_cast<double>(loss.original_bytes);
    const bool first = state_.smoothed_loss_nats_per_byte == 0;
    state_.smoothed_loss_nats_per_byte +=
        (nats_per_byte - state_.smoothed_loss_nats_per_byte) * (first ? 1.0 : kLossSmoothing);
  }
  ++interval_.steps;
  interval_.nats += loss.nats;
  interval_.original_bytes += loss.original_bytes;
  return absl::OkStatus();
}

absl::Status TransformerTrainer::AfterStep(const CancellationToken& cancel) {
  const bool last = state_.step == total_steps();
  TellProgress(/*always=*/last);
  const absl::Status validated = ValidateIfDue(cancel);
  if (!validated.ok() && cancel.cancelled()) return Stop(validated);
  CLM_RETURN_IF_ERROR(validated);
  if (keeps_checkpoints() && (last || IsDue(options_.config.checkpoint_interval))) return WriteCheckpoint();
  return absl::OkStatus();
}

absl::Status TransformerTrainer::Stop(const absl::Status& reason) {
  if (keeps_checkpoints() && stored_step_ != state_.step) CLM_RETURN_IF_ERROR(WriteCheckpoint());
  return reason;
}

absl::Status TransformerTrainer::ValidateIfDue(const CancellationToken& cancel) {
  const bool due = state_.step == total_steps() || IsDue(options_.config.validation_interval);
  const bool done = !state_.validations.empty() && state_.validations.back().step == state_.step;
  if (!due || done || state_.step == 0 || options_.validation.documents.empty()) return absl::OkStatus();
  CLM_ASSIGN_OR_RETURN(const std::vector<ScoredDocument> scored, scorer_->Score(options_.validation.documents, cancel));
  double nats = 0;
  for (const ScoredDocument& document : scored) nats += document.nats;
  const double bpb = BitsPerByte(nats, static_cast<double>(options_.validation.original_bytes));
  if (!std::isfinite(bpb)) {
    return absl::FailedPreconditionError(
        absl::StrCat("training diverged before step ", state_.step, ": validation gives ", bpb, " bits per byte"));
  }
  state_.validations.push_back({state_.step, state_.original_bytes, bpb});
  TellProgress(/*always=*/true);
  return absl::OkStatus();
}

absl::Status TransformerTrainer::WriteCheckpoint() {
  std::vector<at::Tensor> arrays = HostArrays();
  CLM_RETURN_IF_ERROR(checkpoints_.Write(state_, SpansOf<const float>(arrays)));
  stored_step_ = state_.step;
  return absl::OkStatus();
}

void TransformerTrainer::TellProgress(bool always) {
  const absl::Duration now = clock_.Monotonic();
  const double seconds = absl::ToDoubleSeconds(now - interval_.begin);
  if (!progress_ || (!always && now - interval_.begin < kProgressInterval)) return;
  Progress progress;
  progress.phase = "train";
  progress.unit = "steps";
  progress.done_units = state_.step;
  progress.total_units = total_steps();
  const double loss = interval_.original_bytes == 0 ? state_.smoothed_loss_nats_per_byte
                                                    : interval_.nats / static_cast<double>(interval_.original_bytes);
  const auto add = [&progress](const char* name, double value) {
    ProgressMetric& metric = progress.metrics.emplace_back();
    metric.name = name;
    metric.value = value;
  };
  add("train_loss_nats_per_byte", loss);
  add("original_bytes", static_cast<double>(state_.original_bytes));
  add("learning_rate", schedule_.At(state_.step == 0 ? 0 : state_.step - 1));
  if (state_.step > 0 && state_.seconds > 0) {
    const double step_seconds = state_.seconds / static_cast<double>(state_.step);
    progress.remaining_seconds = step_seconds * static_cast<double>(total_steps() - state_.step);
    add("step_seconds", step_seconds);
  }
  if (seconds > 0 && interval_.original_bytes > 0) {
    add("original_bytes_per_second", static_cast<double>(interval_.original_bytes) / seconds);
  }
  if (!state_.validations.empty()) {
    add("validation_bits_per_byte", state_.validations.back().bits_per_byte);
  }
  progress_(progress);
  interval_ = {.begin = now};
}

TrainReport TransformerTrainer::Report() const {
  return {.steps = state_.step,
          .original_bytes = state_.original_bytes,
          .targets = state_.targets,
          .seconds = state_.seconds,
          .final_loss_nats_per_byte = state_.smoothed_loss_nats_per_byte,
          .validations = state_.validations,
          .resumed_from_step = resumed_from_step_,
          .notes = notes_,
          .parameters = model_.parameter_counts(),
          .trainable_parameters = model_.trainable_parameters(),
          .device = std::string(DeviceName(model_.device())),
          .threads = state_.threads};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Trainer>> Trainer::Create(Model& model, BatchSource& source, TrainerOptions options,
                                                         FileSystem& files, const Clock& clock) {
  CLM_RETURN_IF_ERROR(options.config.Validate());
  if (source.vocab_size() != model.config().vocab_size) {
    return absl::InvalidArgumentError(absl::StrCat("the corpus has ", source.vocab_size(),
                                                   " symbols, the model's vocab_size is ", model.config().vocab_size));
  }
  if (!options.validation.documents.empty() && options.validation.original_bytes == 0) {
    return absl::InvalidArgumentError("the validation sample has documents but no bytes");
  }
  return std::make_unique<TransformerTrainer>(model, source, std::move(options), files, clock);
}

}  // namespace clm
