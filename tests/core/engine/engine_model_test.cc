#include "core/engine/engine_model.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/checkpoint/checkpoint.h"
#include "tests/core/engine/small_engine.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::HasSubstr;

std::shared_ptr<const EngineModel> Made(const ModelConfig& config, const std::vector<float>& weights) {
  auto model = EngineModel::FromWeights(config, weights);
  EXPECT_OK(model);
  return *model;
}

TEST(EngineModelTest, SaysWhatItIs) {
  const auto model = SmallEngine();
  EXPECT_EQ(model->vocab_size(), 75U);
  EXPECT_EQ(model->precision_bits(), 20);
  EXPECT_EQ(model->max_window(), 40U);
  EXPECT_EQ(model->boundary(), 70U);
  EXPECT_EQ(model->parameter_count(), CountParameters(SmallEngineConfig()).total());
  EXPECT_GT(model->weight_bytes(), model->parameter_count());
  EXPECT_GT(model->lane_bytes(0), model->lane_bytes(8));
  EXPECT_EQ(model->fingerprint().size(), 64U);
}

TEST(EngineModelTest, ACheckpointFolderGivesTheSameModel) {
  const TemporaryDirectory folder;
  EXPECT_THAT(EngineModel::Load(PosixFileSystem(), folder.path()), StatusIs(absl::StatusCode::kNotFound));
  const std::vector<float> weights = RandomWeights(SmallEngineConfig(), 5, 2.0F);
  ASSERT_OK(WriteCheckpoint(PosixFileSystem(), folder.path(), SmallEngineConfig(), weights));
  ASSERT_OK_AND_ASSIGN(const auto model, EngineModel::Load(PosixFileSystem(), folder.path()));
  EXPECT_EQ(model->fingerprint(), SmallEngine()->fingerprint());
  EXPECT_EQ(model->canary(), SmallEngine()->canary());
}

TEST(EngineModelTest, EveryWeightDecidesTheFingerprint) {
  const ModelConfig config = SmallEngineConfig();
  const std::vector<float> weights = RandomWeights(config, 5);
  std::set<std::string> prints = {Made(config, weights)->fingerprint()};
  const ParameterLayout layout = ParameterLayout::Plain(config);
  for (const ParameterSpec& spec : layout.parameters()) {
    std::vector<float> changed = weights;
    changed[static_cast<size_t>(spec.offset + spec.size() - 1)] += 0.125F;
    EXPECT_TRUE(prints.insert(Made(config, changed)->fingerprint()).second) << spec.name;
  }
  ModelConfig other = config;
  other.rope_theta = 9999;
  EXPECT_TRUE(prints.insert(Made(other, weights)->fingerprint()).second);
  other = config;
  other.boundary = 3;
  EXPECT_TRUE(prints.insert(Made(other, weights)->fingerprint()).second);
}

TEST(EngineModelTest, CanariesTellModelsApart) {
  EXPECT_EQ(SmallEngine()->canary(), SmallEngine()->canary());
  EXPECT_NE(SmallEngine(SmallEngineConfig(), 6)->canary(), SmallEngine()->canary());
}

TEST(EngineModelTest, WeightsThatAreNotFiniteAreRefusedByName) {
  std::vector<float> weights = RandomWeights(SmallEngineConfig(), 5);
  const ParameterLayout layout = ParameterLayout::Plain(SmallEngineConfig());
  const auto at = static_cast<size_t>(layout.Find("model.layers.1.mlp.down_proj.weight").offset);
  weights[at] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(EngineModel::FromWeights(SmallEngineConfig(), weights),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("model.layers.1.mlp.down_proj.weight: value 0")));
}

// What frames are coded with may never change: a model from weights that need no libm, and what every machine, compiler
// and instruction set must make of it.
TEST(EngineModelTest, FingerprintAndCanaryOfAFixedModel) {
  const ModelConfig config = SmallEngineConfig();
  std::vector<float> weights(static_cast<size_t>(ParameterLayout::Plain(config).total()));
  CounterRng rng(99, "golden", 0);
  for (float& weight : weights) weight = static_cast<float>(rng.NextDouble() - 0.5) * 0.5F;
  const auto model = Made(config, weights);
  std::string canary;
  for (const uint8_t byte : model->canary()) absl::StrAppend(&canary, absl::Hex(byte, absl::kZeroPad2));
  EXPECT_EQ(model->fingerprint(), "d1ddee5170379e1d86b89f9631e330a967bffb06c9101b32fd8ca987e3528785");
  EXPECT_EQ(canary, "21f10a817ef98b50");
}

}  // namespace
}  // namespace clm
