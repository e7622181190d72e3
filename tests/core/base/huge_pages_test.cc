#include "core/base/huge_pages.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <vector>

namespace clm {
namespace {

TEST(HugePageAllocatorTest, SmallAndLargeVectorsHoldTheirValues) {
  std::vector<uint64_t, HugePageAllocator<uint64_t>> values;
  for (const size_t size : {size_t{3}, size_t{1'000'000}}) {
    values.resize(size);
    std::iota(values.begin(), values.end(), uint64_t{1});
    EXPECT_EQ(values.front(), 1);
    EXPECT_EQ(values.back(), size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(values.data()) % 64, 0);
  }
}

}  // namespace
}  // namespace clm
