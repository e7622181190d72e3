#include "core/predict/adaptive/refinement.h"

#include <cstdlib>

#include "gtest/gtest.h"

namespace clm {
namespace {

TEST(RefinementTest, StartsAsTheIdentity) {
  Refinement refinement(3);
  for (size_t context = 0; context < 3; ++context) {
    for (int stretched = -kMaxStretched; stretched <= kMaxStretched; ++stretched) {
      // Straight lines between points of a curve: at most 0.4 % of the range away from it.
      ASSERT_NEAR(refinement.Refine(context, stretched), Squash(stretched), 260) << stretched;
    }
    EXPECT_EQ(refinement.Refine(context, 3000), refinement.Refine(context, kMaxStretched));
    EXPECT_EQ(refinement.Refine(context, -3000), refinement.Refine(context, -kMaxStretched));
  }
}

TEST(RefinementTest, LearnsWhatReallyComes) {
  Refinement refinement(2);
  for (int i = 0; i < 1000; ++i) {
    refinement.Refine(1, 640);
    refinement.Update(0);
  }
  EXPECT_LT(refinement.Refine(1, 640), 100);
  EXPECT_GT(refinement.Refine(1, 1000), 60000) << "another point";
  EXPECT_GT(refinement.Refine(0, 640), 58000) << "another context";
  refinement.Reset();
  EXPECT_GT(refinement.Refine(1, 640), 58000);
}

}  // namespace
}  // namespace clm
