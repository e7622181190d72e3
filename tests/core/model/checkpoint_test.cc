#include "core/model/checkpoint.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tests/core/model/small_model.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::HasSubstr;

TEST(CheckpointTest, FilesThatDisagreeAreRefused) {
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

TEST(CheckpointTest, HalfPrecisionCheckpointsAreWidened) {
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

}  // namespace
}  // namespace clm
