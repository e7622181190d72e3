#include "core/tokenizer/count_bins.h"

#include <gtest/gtest.h>

namespace clm {
namespace {

TEST(CountBinsTest, EveryBinBeginsWhereTheOneBeforeEnds) {
  EXPECT_EQ(BinOfCount(0), 0);
  EXPECT_EQ(BinOfCount(UINT64_MAX), kCountBins - 1);
  for (size_t bin = 1; bin < kCountBins; ++bin) {
    ASSERT_EQ(BinOfCount(LeastOfBin(bin)), bin);
    ASSERT_EQ(BinOfCount(LeastOfBin(bin) - 1), bin - 1);
  }
}

}  // namespace
}  // namespace clm
