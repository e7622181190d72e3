// The rules, held against this checkout.
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/layering/rules.h"
#include "tests/layering/source_tree.h"

namespace clm::layering {
namespace {

const SourceTree& Checkout() {
  static const auto* const kTree = new SourceTree(CLM_SOURCE_DIR);
  return *kTree;
}

void ExpectNone(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) ADD_FAILURE() << ToString(finding);
}

TEST(LayeringTest, TheCheckoutIsReadAtAll) { EXPECT_GT(Checkout().sources().size(), 50U); }
TEST(LayeringTest, ArrowsPointDown) { ExpectNone(CheckArrows(Checkout())); }
TEST(LayeringTest, LibTorchStaysInModelAndTrain) { ExpectNone(CheckTorch(Checkout())); }
TEST(LayeringTest, EverySourceOfCoreIsBuiltAndTested) { ExpectNone(CheckTestsExist(Checkout())); }
TEST(LayeringTest, FilesStayShort) { ExpectNone(CheckSizes(Checkout())); }
TEST(LayeringTest, OnlyTheFileSeamRenames) { ExpectNone(CheckFileSeam(Checkout())); }

}  // namespace
}  // namespace clm::layering
