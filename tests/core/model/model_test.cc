// The facade, also against vectors made with transformers (tests/golden/model/v1).
#include "core/model/model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/artifact/safetensors.h"
#include "tests/core/model/small_model.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::HasSubstr;

class TransformersVectorTest : public ::testing::TestWithParam<std::string> {};

TEST_P(TransformersVectorTest, OurLogitsAreTheirs) {
  const std::string folder = absl::StrCat(CLM_GOLDEN_DIR, "/", GetParam());
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Model> model, Model::Load(PosixFileSystem(), folder, "cpu"));
  ASSERT_OK_AND_ASSIGN(const SafetensorsFile expected,
                       SafetensorsFile::Open(PosixFileSystem(), JoinPath(folder, "expected_logits.safetensors")));
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

}  // namespace
}  // namespace clm
