#include "core/trace/windowed_context.h"

#include "gtest/gtest.h"
#include "tests/core/trace/trace_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::RecordingPredictor;
using ::clm::testing::StatusIs;

TEST(WindowedContextTest, OnlyTheWindowIsRemembered) {
  RecordingPredictor predictor;
  WindowedContext context(predictor, 2);
  std::vector<uint32_t> frequencies(256);
  for (const char c : {'a', 'b', 'c', 'd'}) {
    context.Tell(static_cast<SymbolId>(c));
    predictor.Frequencies(0, frequencies);
  }
  EXPECT_EQ(predictor.seen(), (std::vector<std::string>{"a", "ab", "bc", "cd"}));
}

TEST(WindowedContextTest, ThePredictorIsLeftReset) {
  RecordingPredictor predictor;
  { WindowedContext(predictor, 0).Tell('a'); }
  std::vector<uint32_t> frequencies(256);
  predictor.Frequencies(0, frequencies);
  EXPECT_EQ(predictor.seen().back(), "");
}

TEST(WindowedContextTest, WorkIsBounded) {
  EXPECT_OK(CheckWindowWork(0, UINT64_MAX));
  EXPECT_OK(CheckWindowWork(UINT64_MAX, UINT64_MAX));
  EXPECT_OK(CheckWindowWork(1024, 65536 + 1024));
  EXPECT_THAT(CheckWindowWork(1024, 65536 + 1025), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(CheckWindowWork(UINT64_MAX / 2, UINT64_MAX), StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace clm
