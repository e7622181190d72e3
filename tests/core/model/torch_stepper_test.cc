#include "core/model/torch_stepper.h"

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <vector>

#include "tests/core/model/small_model.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::HasSubstr;

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
