#include "core/predict/adaptive/byte_history.h"

#include "gtest/gtest.h"

namespace clm {
namespace {

TEST(ByteHistoryTest, KeepsTheLastBytesByPosition) {
  ByteHistory history(12);
  for (int i = 0; i < 5000; ++i) history.Push(static_cast<uint8_t>(i % 251));
  EXPECT_EQ(history.end(), 5000U);
  EXPECT_EQ(history.size(), 4096U);
  for (uint64_t i = 5000 - 4096; i < 5000; ++i) ASSERT_EQ(history.At(i), i % 251) << i;
  history.Reset();
  EXPECT_EQ(history.end(), 0U);
  EXPECT_EQ(history.At(17), 0);
}

}  // namespace
}  // namespace clm
