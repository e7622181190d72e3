#include "core/pipeline/model_loader.h"
#include "core/pipeline/train.h"
#include "tests/core/pipeline/pipeline_fixture.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

using ModelLoaderUnavailableTest = PipelineTest;

TEST_F(ModelLoaderUnavailableTest, TheRefusalNamesTheBuildOption) {
  EXPECT_THAT(LoadModel(*store_, ArtifactId(), "cpu", {}),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("CLM_WITH_TORCH")));
  EXPECT_THAT(RunTrain(TrainOptions(), Context()), StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_EQ(LibTorchVersion(), "");
}

}  // namespace
}  // namespace clm
