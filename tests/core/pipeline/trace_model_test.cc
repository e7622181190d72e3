#include "core/pipeline/trace_model.h"

#include "core/trace/trace.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

TEST(TraceModelTest, TheBuiltInOneRanksBytes) {
  const TraceModel model = BuiltInTraceModel();
  EXPECT_EQ(model.name, "count");
  EXPECT_EQ(model.representation->kind(), "byte");
  ASSERT_OK_AND_ASSIGN(const Trace trace, TraceText(*model.representation, *model.predictor, "aaaaaaaaaaaa", {}));
  EXPECT_EQ(trace.rows.back().rank, 0);
}

TEST(TraceModelTest, EveryOneIsTheSame) {
  EXPECT_EQ(BuiltInTraceModel().predictor->fingerprint(), BuiltInTraceModel().predictor->fingerprint());
}

}  // namespace
}  // namespace clm
