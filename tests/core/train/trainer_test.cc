// The loop: it learns, it validates, and a run that dies anywhere ends with the weights of one that did not.
#include "core/train/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/fault_file_system.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "tests/core/train/pattern_source.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ModelConfig SmallModel() {
  ModelConfig config;
  config.vocab_size = PatternSource::kVocab;
  config.hidden_size = 16;
  config.intermediate_size = 24;
  config.layers = 2;
  config.heads = 2;
  config.kv_heads = 2;
  config.max_positions = 8;
  config.boundary = PatternSource::kBoundary;
  return config;
}

TrainerOptions Options(uint64_t steps, const std::string& folder = "") {
  TrainerOptions options;
  options.config.steps = steps;
  options.config.learning_rate = 0.01;
  options.config.warmup_steps = 2;
  options.config.micro_batch_symbols = 12;
  options.config.checkpoint_interval = 2;
  options.config.threads = 1;
  options.checkpoint_folder = folder;
  options.run_key = "pattern";
  for (uint64_t i = 0; i < 5; ++i) {
    options.validation.documents.push_back(PatternSource::Document(1'000'000 + i));
    options.validation.original_bytes += 2 * (options.validation.documents.back().size() - 1);
  }
  return options;
}

// A model, its data and one run of a trainer over them: what a process does from start to end or death.
class Process {
 public:
  explicit Process(TrainerOptions options, FileSystem& files = PosixFileSystem(), bool composed = false)
      : options_(std::move(options)), files_(files) {
    ModelOptions model_options{.device = "cpu", .seed = 3};
    if (composed) {
      std::vector<std::vector<SymbolId>> leaves;
      for (SymbolId id = 0; id < PatternSource::kVocab; ++id) leaves.push_back({id});
      model_options.composition =
          std::make_shared<RowComposition>(*RowComposition::Create(leaves, /*base_residuals=*/true));
    }
    auto model = Model::Create(SmallModel(), model_options);
    EXPECT_OK(model);
    model_ = *std::move(model);
  }

  PatternSource& source() { return source_; }
  absl::StatusOr<TrainReport> Run(const CancellationToken& cancel = {}, const ProgressSink& sink = {}) {
    CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Trainer> trainer,
                         Trainer::Create(*model_, source_, options_, files_, SystemClock()));
    return trainer->Run(cancel, sink);
  }
  // The bytes of the saved model.
  std::string Weights() const {
    const TemporaryDirectory folder;
    EXPECT_OK(model_->Save(PosixFileSystem(), folder.path()));
    return *ReadFile(PosixFileSystem(), folder.File(kWeightsFile), 1 << 24);
  }

 private:
  TrainerOptions options_;
  FileSystem& files_;
  PatternSource source_;
  std::unique_ptr<Model> model_;
};

std::string UninterruptedWeights(uint64_t steps, bool composed = false) {
  Process process(Options(steps), PosixFileSystem(), composed);
  EXPECT_OK(process.Run());
  return process.Weights();
}

TEST(TrainerTest, ThePatternIsLearned) {
  TrainerOptions options = Options(150);
  options.config.validation_interval = 50;
  Process process(options);
  ASSERT_OK_AND_ASSIGN(const TrainReport report, process.Run());
  ASSERT_EQ(report.validations.size(), 3U);
  // Counting is free once known; the first digit costs log2 10 bits and the end of a document about as much. Knowing
  // nothing costs log2 11 bits per symbol, here about 2.2 bits per byte.
  EXPECT_LT(report.validations[2].bits_per_byte, 1.0);
  EXPECT_LT(report.final_loss_nats_per_byte, 0.75);
  EXPECT_EQ(report.steps, 150U);
  EXPECT_EQ(report.validations[2].original_bytes, report.original_bytes);
  EXPECT_THAT(report.ToJson(), HasSubstr("\"steps\": 150"));
}

TEST(TrainerTest, ValidationIsBitsPerOriginalByteOfTheSample) {
  Process process(Options(3));
  ASSERT_OK_AND_ASSIGN(const TrainReport report, process.Run());
  ASSERT_EQ(report.validations.size(), 1U);  // only at the end
  EXPECT_EQ(report.validations[0].step, 3U);
  // An untrained model of 11 symbols costs about log2 11 = 3.46 bits per symbol of two bytes.
  EXPECT_NEAR(report.validations[0].bits_per_byte, 2.2, 0.7);
}

TEST(TrainerTest, ARunThatDiesAtAnyStepAndResumesEndsWithTheSameWeights) {
  constexpr uint64_t kSteps = 7;
  for (const bool composed : {false, true}) {
    const std::string want = UninterruptedWeights(kSteps, composed);
    for (uint64_t death = 0; death < kSteps; ++death) {
      const TemporaryDirectory folder;
      Process first(Options(kSteps, folder.path()), PosixFileSystem(), composed);
      first.source().FailAt(death);
      EXPECT_THAT(first.Run(), StatusIs(absl::StatusCode::kAborted));
      Process second(Options(kSteps, folder.path()), PosixFileSystem(), composed);
      ASSERT_OK_AND_ASSIGN(const TrainReport report, second.Run());
      EXPECT_EQ(report.resumed_from_step, death / 2 * 2);
      EXPECT_TRUE(second.Weights() == want) << "death at " << death;
    }
  }
}

TEST(TrainerTest, APowerCutAtAnyOperationOnTheDiskLosesNoWholeCheckpoint) {
  constexpr uint64_t kSteps = 4;
  const std::string want = UninterruptedWeights(kSteps);
  for (uint64_t n = 1;; ++n) {
    const TemporaryDirectory folder;
    FaultFileSystem files(PosixFileSystem(), folder.path());
    files.FailFrom(n, absl::InternalError("power cut"));
    Process first(Options(kSteps, folder.File("run")), files);
    const bool ended = first.Run().ok();
    const bool reached = files.fault_happened();
    EXPECT_NE(ended, reached) << n;
    files.Crash(n % 2 == 0 ? FaultFileSystem::CrashKind::kLosesNames : FaultFileSystem::CrashKind::kKeepsNames);
    Process second(Options(kSteps, folder.File("run")), files);
    ASSERT_OK_AND_ASSIGN(const TrainReport report, second.Run());
    EXPECT_THAT(report.notes, IsEmpty()) << n;
    EXPECT_TRUE(second.Weights() == want) << n;
    if (!reached) break;
  }
}

TEST(TrainerTest, ADamagedCheckpointIsPassedOverAndSaid) {
  constexpr uint64_t kSteps = 6;
  const std::string want = UninterruptedWeights(kSteps);
  for (const char* name : {"weights.safetensors", "optimizer.safetensors", "train_state.json"}) {
    const TemporaryDirectory folder;
    Process first(Options(kSteps, folder.path()));
    first.source().FailAt(5);
    EXPECT_FALSE(first.Run().ok());
    const std::string path = folder.File(absl::StrCat("step-0000000004/", name));
    ASSERT_OK_AND_ASSIGN(std::string bytes, ReadFile(PosixFileSystem(), path, 1 << 24));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 64);
    ASSERT_OK(WriteFileAtomically(PosixFileSystem(), path, bytes));
    Process second(Options(kSteps, folder.path()));
    ASSERT_OK_AND_ASSIGN(const TrainReport report, second.Run());
    EXPECT_EQ(report.resumed_from_step, 2U);
    EXPECT_THAT(report.notes, ElementsAre(HasSubstr("step-0000000004 is damaged and was passed over")));
    EXPECT_TRUE(second.Weights() == want) << name;
  }
}

TEST(TrainerTest, CheckpointsOfAnotherRunAreRefused) {
  const TemporaryDirectory folder;
  ASSERT_OK(Process(Options(2, folder.path())).Run());
  TrainerOptions other = Options(2, folder.path());
  other.run_key = "another corpus";
  EXPECT_THAT(Process(other).Run(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another run")));
}

TEST(TrainerTest, AFinishedRunIsNotRepeated) {
  const TemporaryDirectory folder;
  Process first(Options(3, folder.path()));
  ASSERT_OK_AND_ASSIGN(const TrainReport before, first.Run());
  Process second(Options(3, folder.path()));
  second.source().FailAt(0);
  ASSERT_OK_AND_ASSIGN(const TrainReport after, second.Run());
  EXPECT_EQ(second.Weights(), first.Weights());
  EXPECT_EQ(after.validations, before.validations);
  EXPECT_EQ(after.final_loss_nats_per_byte, before.final_loss_nats_per_byte);
}

TEST(TrainerTest, CancellingKeepsEveryStep) {
  constexpr uint64_t kSteps = 6;
  const TemporaryDirectory folder;
  CancellationSource source;
  TrainerOptions options = Options(kSteps, folder.path());
  options.config.validation_interval = 3;  // its progress report is where this test cancels
  Process first(options);
  EXPECT_THAT(first.Run(source.token(),
                        [&](const Progress& progress) {
                          if (progress.done_units == 3) source.Cancel();
                        }),
              StatusIs(absl::StatusCode::kCancelled));
  Process second(options);
  ASSERT_OK_AND_ASSIGN(const TrainReport report, second.Run());
  EXPECT_EQ(report.resumed_from_step, 3U);
  EXPECT_EQ(report.validations.size(), 2U);
  EXPECT_TRUE(second.Weights() == UninterruptedWeights(kSteps));
}

TEST(TrainerTest, TheNewestAndTheBestCheckpointsAreKept) {
  const TemporaryDirectory folder;
  TrainerOptions options = Options(12, folder.path());
  options.config.validation_interval = 2;
  options.config.learning_rate = 1.0;  // ruins the model after the warm-up, so an early checkpoint stays the best
  options.config.warmup_steps = 1000;
  options.config.warmup_steps = 0;
  options.config.clip_norm = 0;
  Process process(options);
  ASSERT_OK_AND_ASSIGN(const TrainReport report, process.Run());
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> names, PosixFileSystem().List(folder.path()));
  uint64_t best = 0;
  double lowest = INFINITY;
  for (const ValidationPoint& point : report.validations) {
    if (point.bits_per_byte < lowest) {
      lowest = point.bits_per_byte;
      best = point.step;
    }
  }
  std::vector<std::string> want = {"step-0000000010", "step-0000000012"};
  if (best < 10) want.insert(want.begin(), absl::StrCat("step-000000000", best));
  EXPECT_EQ(names, want);
}

TEST(TrainerTest, ProgressNamesItsUnits) {
  std::vector<Progress> told;
  Process process(Options(4));
  ASSERT_OK(process.Run({}, [&](const Progress& progress) { told.push_back(progress); }));
  ASSERT_FALSE(told.empty());
  const Progress& last = told.back();
  EXPECT_EQ(last.phase, "train");
  EXPECT_EQ(last.done_units, 4U);
  EXPECT_EQ(last.total_units, 4U);
  std::vector<std::string> names;
  for (const ProgressMetric& metric : last.metrics) names.push_back(metric.name);
  EXPECT_THAT(names, ::testing::IsSupersetOf(
                         {"train_loss_nats_per_byte", "learning_rate", "step_seconds", "validation_bits_per_byte"}));
}

TEST(TrainerTest, DivergenceEndsTheRunAndNamesTheStep) {
  const TemporaryDirectory folder;
  const std::vector<float> weights(static_cast<size_t>(ParameterLayout::Plain(SmallModel()).total()), NAN);
  ASSERT_OK(WriteCheckpoint(PosixFileSystem(), folder.path(), SmallModel(), weights));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Model> model, Model::Load(PosixFileSystem(), folder.path(), "cpu"));
  PatternSource source;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Trainer> trainer, Trainer::Create(*model, source, Options(3)));
  EXPECT_THAT(trainer->Run({}, {}), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("diverged at step 0")));
}

TEST(TrainerTest, DataThatDoesNotFitTheModelIsRefused) {
  PatternSource source;
  ModelConfig config = SmallModel();
  config.max_positions = 7;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Model> narrow, Model::Create(config, {.device = "cpu"}));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Trainer> trainer, Trainer::Create(*narrow, source, Options(3)));
  EXPECT_THAT(trainer->Run({}, {}), StatusIs(absl::StatusCode::kInvalidArgument,
                                             HasSubstr("rows of 8 symbols, the model's max_positions is 7")));
  config.vocab_size = 12;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Model> wide, Model::Create(config, {.device = "cpu"}));
  EXPECT_THAT(Trainer::Create(*wide, source, Options(3)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("11 symbols")));
  TrainerOptions empty = Options(3);
  empty.config.steps = 0;
  EXPECT_THAT(Trainer::Create(*wide, source, empty), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace clm
