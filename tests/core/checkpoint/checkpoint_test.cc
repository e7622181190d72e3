#include "core/checkpoint/checkpoint.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::HasSubstr;

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

std::vector<float> SmallWeights() {
  const ParameterLayout layout = ParameterLayout::Plain(SmallConfig());
  std::vector<float> weights(static_cast<size_t>(layout.total()));
  layout.Initialise(3, weights);
  return weights;
}

absl::Status OpenAs(const TemporaryDirectory& folder, const ModelConfig& config) {
  return CheckpointWeights::Open(PosixFileSystem(), folder.path(), config).status();
}

TEST(CheckpointTest, WhatWasWrittenIsReadBack) {
  const TemporaryDirectory folder;
  EXPECT_THAT(ReadCheckpointConfig(PosixFileSystem(), folder.path()), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_OK(WriteCheckpoint(PosixFileSystem(), folder.path(), SmallConfig(), SmallWeights()));
  ASSERT_OK_AND_ASSIGN(const ModelConfig config, ReadCheckpointConfig(PosixFileSystem(), folder.path()));
  EXPECT_EQ(config, SmallConfig());
  ASSERT_OK_AND_ASSIGN(const CheckpointWeights file, CheckpointWeights::Open(PosixFileSystem(), folder.path(), config));
  std::vector<float> got(SmallWeights().size());
  file.Read(got);
  EXPECT_EQ(got, SmallWeights());
}

TEST(CheckpointTest, FilesThatDisagreeAreRefused) {
  const TemporaryDirectory folder;
  ASSERT_OK(WriteCheckpoint(PosixFileSystem(), folder.path(), SmallConfig(), SmallWeights()));
  ModelConfig other = SmallConfig();
  other.hidden_size = 32;
  EXPECT_THAT(OpenAs(folder, other),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("has shape [16, 16], the config says [32, 32]")));
  other = SmallConfig();
  other.layers = 1;
  EXPECT_THAT(OpenAs(folder, other), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("model.layers.1.")));
  other.layers = 3;
  EXPECT_THAT(OpenAs(folder, other),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("model.layers.2.self_attn.q_proj.weight is missing")));
}

TEST(CheckpointTest, HalfPrecisionCheckpointsAreWidened) {
  const TemporaryDirectory folder;
  ASSERT_OK(WriteCheckpoint(PosixFileSystem(), folder.path(), SmallConfig(), SmallWeights()));
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
  ASSERT_OK_AND_ASSIGN(const CheckpointWeights half,
                       CheckpointWeights::Open(PosixFileSystem(), other.path(), SmallConfig()));
  std::vector<float> got(SmallWeights().size());
  half.Read(got);
  std::vector<float> want = SmallWeights();
  for (float& value : want) value = std::bit_cast<float>(std::bit_cast<uint32_t>(value) & 0xFFFF0000U);
  EXPECT_EQ(got, want);
}

}  // namespace
}  // namespace clm
