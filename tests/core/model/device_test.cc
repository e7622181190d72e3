#include "core/model/device.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/core/model/small_model.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::HasSubstr;

TEST(DeviceTest, WrongDevicesAreNamedAndAutoFallsBack) {
  EXPECT_THAT(Model::Create(SmallConfig(), {.device = "tpu"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"tpu\"")));
  const auto cuda = Model::Create(SmallConfig(), {.device = "cuda"});
  if (cuda.ok()) GTEST_SKIP() << "this host has a GPU";
  EXPECT_THAT(cuda, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("device cuda")));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Model> model, Model::Create(SmallConfig(), {.device = "auto"}));
  EXPECT_EQ(model->device(), DeviceKind::kCpu);
}

}  // namespace
}  // namespace clm
