// The facade, against vectors made with transformers (tests/golden/model/v1), and the rules of SequenceScorer.
#include "core/model/model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/artifact/safetensors.h"
#include "core/base/rng.h"
#include "core/base/units.h"
#include "core/model/checkpoint.h"
#include "core/model/determinism.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::HasSubstr;

// Waking a second thread costs more than these models compute.
class OneThread : public ::testing::Environment {
 public:
  void SetUp() override { EXPECT_OK(ConfigureDeterminism(1)); }
};
const ::testing::Environment* const kOneThread = ::testing::AddGlobalTestEnvironment(new OneThread);

ModelConfig SmallConfig() {
  ModelConfig config;
  config.vocab_size = 29;
  config.hidden_size = 16;
  config.intermediate_size = 24;
  config.layers = 2;
  config.heads = 2;
  config.kv_heads = 1;
  config.max_positions = 8;
  config.boundary = 28;
  return config;
}

std::unique_ptr<Model> SmallModel(uint64_t seed = 3) {
  auto model = Model::Create(SmallConfig(), {.device = "cpu", .seed = seed});
  EXPECT_OK(model);
  return *std::move(model);
}

// Documents of many lengths around the window of 8, each ending in the boundary.
std::vector<std::vector<SymbolId>> Documents(size_t count) {
  CounterRng rng(17, "documents", 0);
  std::vector<std::vector<SymbolId>> documents(count);
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = 0; j < i % 23; ++j) documents[i].push_back(static_cast<SymbolId>(rng.NextBelow(28)));
    documents[i].push_back(28);
  }
  return documents;
}

std::vector<double> Nats(const Model& model, const std::vector<std::vector<SymbolId>>& documents,
                         const ScorerOptions& options) {
  auto scorer = model.NewScorer(options);
  EXPECT_OK(scorer);
  auto scored = (*scorer)->Score(documents, {});
  EXPECT_OK(scored);
  std::vector<double> nats;
  for (const ScoredDocument& document : *scored) nats.push_back(document.nats);
  return nats;
}

// Nats by feeding a NextSymbolModel symbol after symbol: the slow twin of the scorer.
double NatsStepByStep(NextSymbolModel& stepper, SymbolId boundary, const std::vector<SymbolId>& document) {
  stepper.Reset();
  SymbolId input = boundary;
  double nats = 0;
  std::vector<float> logits;
  for (const SymbolId symbol : document) {
    EXPECT_OK(stepper.Feed(std::span(&input, 1), logits));
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
    nats += std::log(sum) - static_cast<double>(logits[symbol]);
    input = symbol;
  }
  return nats;
}

class TransformersVectorTest : public ::testing::TestWithParam<std::string> {};

TEST_P(TransformersVectorTest, OurLogitsAreTheirs) {
  const std::string folder = std::string(CLM_GOLDEN_DIR) + "/" + GetParam();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Model> model, Model::Load(PosixFileSystem(), folder, "cpu"));
  ASSERT_OK_AND_ASSIGN(const SafetensorsFile expected,
                       SafetensorsFile::Open(PosixFileSystem(), folder + "/expected_logits.safetensors"));
  const TensorView& ids = *expected.Find("input_ids");  // [3, 16] int32
  const TensorView& want = *expected.Find("logits");    // [3, 16, 64]
  ASSERT_EQ(want.shape, (std::vector<uint64_t>{3, 16, 64}));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<NextSymbolModel> stepper, model->NewStepper());
  std::vector<float> logits;
  for (size_t row = 0; row < 3; ++row) {
    stepper->Reset();
    for (size_t i = 0; i < 16; ++i) {
      int32_t id = 0;
      std::memcpy(&id, ids.bytes.data() + (row * 16 + i) * 4, 4);
      const auto symbol = static_cast<SymbolId>(id);
      ASSERT_OK(stepper->Feed(std::span(&symbol, 1), logits));
      for (size_t v = 0; v < 64; ++v) {
        float theirs = 0;
        std::memcpy(&theirs, want.bytes.data() + ((row * 16 + i) * 64 + v) * 4, 4);
        ASSERT_NEAR(logits[v], theirs, 1e-5F + 1e-4F * std::abs(theirs)) << row << " " << i << " " << v;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, TransformersVectorTest, ::testing::Values("tiny_llama", "tiny_llama_tied"));

TEST(ModelTest, SavedAndLoadedModelGivesTheSameNats) {
  const TemporaryDirectory folder;
  const std::unique_ptr<Model> model = SmallModel();
  ASSERT_OK(model->Save(PosixFileSystem(), folder.path()));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Model> loaded, Model::Load(PosixFileSystem(), folder.path(), "cpu"));
  EXPECT_EQ(loaded->config(), model->config());
  EXPECT_EQ(Nats(*loaded, Documents(10), {}), Nats(*model, Documents(10), {}));
  EXPECT_EQ(model->trainable_parameters(), model->parameter_counts().total());
}

TEST(ModelTest, SeedsDecideTheWeights) {
  EXPECT_EQ(Nats(*SmallModel(1), Documents(5), {}), Nats(*SmallModel(1), Documents(5), {}));
  EXPECT_NE(Nats(*SmallModel(1), Documents(5), {}), Nats(*SmallModel(2), Documents(5), {}));
}

TEST(ModelTest, ComposedRowsAreFoldedOnSave) {
  // Symbols 20 .. 28 stand for pairs, one for a triple; the boundary, 19 here, is a base symbol.
  std::vector<std::vector<SymbolId>> leaves;
  for (SymbolId id = 0; id < 29; ++id) leaves.push_back({id});
  for (SymbolId id = 20; id < 29; ++id) leaves[id] = {id - 20, id - 13};
  leaves[28].push_back(3);
  ASSERT_OK_AND_ASSIGN(const RowComposition composition, RowComposition::Create(leaves, /*base_residuals=*/false));
  ModelConfig config = SmallConfig();
  config.boundary = 19;
  const ModelOptions options{.device = "cpu", .seed = 3, .composition = std::make_shared<RowComposition>(composition)};
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Model> model, Model::Create(config, options));
  const TemporaryDirectory folder;
  ASSERT_OK(model->Save(PosixFileSystem(), folder.path()));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Model> loaded, Model::Load(PosixFileSystem(), folder.path(), "cpu"));
  EXPECT_EQ(Nats(*loaded, Documents(8), {}), Nats(*model, Documents(8), {}));
  EXPECT_EQ(loaded->trainable_parameters(), loaded->parameter_counts().total());
  // 20 base rows, 2 * 16 gates, 9 input and 9 output residuals of width 16, beside the body.
  EXPECT_EQ(model->trainable_parameters(), model->parameter_counts().body + 16 * (20 + 32 + 18));
  config.tie_embeddings = true;
  EXPECT_THAT(Model::Create(config, options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tie_embeddings")));
}

TEST(ModelTest, WrongDevicesAreNamed) {
  EXPECT_THAT(Model::Create(SmallConfig(), {.device = "tpu"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"tpu\"")));
  const auto cuda = Model::Create(SmallConfig(), {.device = "cuda"});
  if (cuda.ok()) GTEST_SKIP() << "this host has a GPU";
  EXPECT_THAT(cuda, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("device cuda")));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Model> model, Model::Create(SmallConfig(), {.device = "auto"}));
  EXPECT_EQ(model->device(), DeviceKind::kCpu);
}

TEST(ModelTest, FilesThatDisagreeAreRefused) {
  const TemporaryDirectory folder;
  EXPECT_THAT(Model::Load(PosixFileSystem(), folder.path(), "cpu"), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_OK(SmallModel()->Save(PosixFileSystem(), folder.path()));
  ModelConfig other = SmallConfig();
  other.hidden_size = 32;
  ASSERT_OK(WriteFileAtomically(PosixFileSystem(), folder.File(kConfigFile), ModelConfigToJson(other)));
  EXPECT_THAT(Model::Load(PosixFileSystem(), folder.path(), "cpu"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("has shape [16, 16], the config says [32, 32]")));
  other = SmallConfig();
  other.layers = 1;
  ASSERT_OK(WriteFileAtomically(PosixFileSystem(), folder.File(kConfigFile), ModelConfigToJson(other)));
  EXPECT_THAT(Model::Load(PosixFileSystem(), folder.path(), "cpu"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("model.layers.1.")));
  other.layers = 3;
  ASSERT_OK(WriteFileAtomically(PosixFileSystem(), folder.File(kConfigFile), ModelConfigToJson(other)));
  EXPECT_THAT(Model::Load(PosixFileSystem(), folder.path(), "cpu"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("model.layers.2.self_attn.q_proj.weight is missing")));
}

TEST(ModelTest, HalfPrecisionCheckpointsAreWidened) {
  const TemporaryDirectory folder;
  ASSERT_OK(SmallModel()->Save(PosixFileSystem(), folder.path()));
  const std::vector<double> want = Nats(*SmallModel(), Documents(6), {});
  ASSERT_OK_AND_ASSIGN(const SafetensorsFile file, SafetensorsFile::Open(PosixFileSystem(), folder.File(kWeightsFile)));
  std::vector<std::string> halves;  // bfloat16: the upper half of each float
  for (const TensorView& tensor : file.tensors()) {
    std::string& half = halves.emplace_back();
    for (size_t i = 0; i < tensor.bytes.size(); i += 4) half.append(tensor.bytes.data() + i + 2, 2);
  }
  std::vector<TensorView> views(file.tensors().begin(), file.tensors().end());
  for (size_t i = 0; i < views.size(); ++i) {
    views[i].type = TensorType::kBF16;
    views[i].bytes = halves[i];
  }
  const TemporaryDirectory other;
  ASSERT_OK(WriteSafetensors(PosixFileSystem(), other.File(kWeightsFile), views, {}));
  ASSERT_OK(WriteFileAtomically(PosixFileSystem(), other.File(kConfigFile), ModelConfigToJson(SmallConfig())));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Model> model, Model::Load(PosixFileSystem(), other.path(), "cpu"));
  const std::vector<double> got = Nats(*model, Documents(6), {});
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], want[i], 0.05 * want[i]);
}

TEST(TorchScorerTest, NatsDoNotDependOnTheBatch) {  // acceptance: 1e-6 relative for batches of 1, 7, 64
  const std::unique_ptr<Model> model = SmallModel();
  const auto documents = Documents(70);
  for (const int stride : {0, 1, 4, 8}) {
    const std::vector<double> want = Nats(*model, documents, {.stride = stride, .batch_windows = 1});
    for (const int windows : {7, 64}) {
      const std::vector<double> got = Nats(*model, documents, {.stride = stride, .batch_windows = windows});
      for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-6 * want[i]) << i << " " << stride;
    }
  }
}

TEST(TorchScorerTest, StrideDoesNotMatterWhileTheWholeDocumentFits) {
  const std::unique_ptr<Model> model = SmallModel();
  auto documents = Documents(8);  // at most 8 symbols with the boundary
  const std::vector<double> want = Nats(*model, documents, {.stride = 8});
  for (const int stride : {1, 3, 5}) EXPECT_EQ(Nats(*model, documents, {.stride = stride}), want);
}

TEST(TorchScorerTest, AgreesWithSteppingThroughLongDocuments) {
  const std::unique_ptr<Model> model = SmallModel();
  const auto documents = Documents(46);
  for (const int stride : {0, 1, 3, 8}) {
    const std::vector<double> nats = Nats(*model, documents, {.stride = stride});
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<NextSymbolModel> stepper, model->NewStepper(stride));
    for (size_t i = 0; i < documents.size(); ++i) {
      EXPECT_NEAR(nats[i], NatsStepByStep(*stepper, 28, documents[i]), 2e-5 * nats[i] + 1e-6) << i << " " << stride;
    }
  }
}

TEST(TorchScorerTest, UniformModelCostsLogOfTheVocabularyExactly) {  // acceptance: to 1e-9
  const TemporaryDirectory folder;
  const ModelConfig config = SmallConfig();
  const std::vector<float> zeros(static_cast<size_t>(ParameterLayout::Plain(config).total()), 0.0F);
  ASSERT_OK(WriteCheckpoint(PosixFileSystem(), folder.path(), config, zeros));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Model> model, Model::Load(PosixFileSystem(), folder.path(), "cpu"));
  const auto documents = Documents(40);
  double nats = 0;
  size_t symbols = 0;
  for (const auto& document : documents) symbols += document.size();
  for (const double value : Nats(*model, documents, {})) nats += value;
  const double bytes = 1000;
  EXPECT_NEAR(BitsPerByte(nats, bytes), static_cast<double>(symbols) / bytes * std::log2(29.0), 1e-9);
}

TEST(TorchScorerTest, BadInputIsNamed) {
  const std::unique_ptr<Model> model = SmallModel();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<SequenceScorer> scorer, model->NewScorer({}));
  const std::vector<std::vector<SymbolId>> documents = {{28}, {1, 29, 28}};
  EXPECT_THAT(scorer->Score(documents, {}),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("document 1: symbol 29 at position 1")));
  CancellationSource source;
  source.Cancel();
  EXPECT_THAT(scorer->Score(Documents(3), source.token()), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(model->NewScorer({.stride = 9}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("stride is 9")));
  EXPECT_THAT(model->NewScorer({.batch_windows = 0}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(model->NewScorer({.batch_symbols = 0}), StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_OK_AND_ASSIGN(const auto nothing, scorer->Score({}, {}));
  EXPECT_TRUE(nothing.empty());
}

TEST(TorchStepperTest, FeedingAtOnceEqualsFeedingOneByOne) {
  const std::unique_ptr<Model> model = SmallModel();
  ASSERT_OK_AND_ASSIGN(const auto at_once, model->NewStepper(3));
  ASSERT_OK_AND_ASSIGN(const auto one_by_one, model->NewStepper(3));
  const std::vector<SymbolId> symbols = Documents(23).back();
  for (size_t split = 1; split < symbols.size(); ++split) {
    std::vector<float> a;
    std::vector<float> b;
    at_once->Reset();
    one_by_one->Reset();
    ASSERT_OK(at_once->Feed(std::span(symbols).first(split), a));
    ASSERT_OK(at_once->Feed(std::span(symbols).subspan(split), a));
    for (const SymbolId symbol : symbols) ASSERT_OK(one_by_one->Feed(std::span(&symbol, 1), b));
    for (size_t v = 0; v < a.size(); ++v) EXPECT_NEAR(a[v], b[v], 1e-5);
  }
}

TEST(TorchStepperTest, BadSymbolsAreNamedAndChangeNothing) {
  const std::unique_ptr<Model> model = SmallModel();
  ASSERT_OK_AND_ASSIGN(const auto stepper, model->NewStepper());
  std::vector<float> before;
  std::vector<float> after;
  const std::vector<SymbolId> good = {1};
  const std::vector<SymbolId> bad = {2, 29};
  ASSERT_OK(stepper->Feed(good, before));
  EXPECT_THAT(stepper->Feed(bad, after), StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("symbol 29 at position 1")));
  EXPECT_THAT(stepper->Feed({}, after), StatusIs(absl::StatusCode::kInvalidArgument));
  stepper->Reset();
  ASSERT_OK(stepper->Feed(good, after));
  EXPECT_EQ(before, after);
}

}  // namespace
}  // namespace clm
