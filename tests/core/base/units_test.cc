#include "core/base/units.h"

#include <limits>

#include "gtest/gtest.h"

namespace clm {
namespace {

TEST(BitsPerByteTest, EightFairBitsPerByteAreEight) {
  EXPECT_DOUBLE_EQ(BitsPerByte(100 * std::log(256.0), 100), 8.0);
  EXPECT_DOUBLE_EQ(BitsPerByte(0, 5), 0.0);
}

TEST(FormatBytesTest, PicksTheUnit) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(312), "312 B");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(1024), "1.0 KiB");
  EXPECT_EQ(FormatBytes(1'572'864), "1.5 MiB");
  EXPECT_EQ(FormatBytes((1 << 20) - 1), "1.0 MiB");  // not "1024.0 KiB"
  EXPECT_EQ(FormatBytes(std::numeric_limits<uint64_t>::max()), "16.0 EiB");
}

TEST(FormatSecondsTest, PicksTheUnits) {
  EXPECT_EQ(FormatSeconds(0), "0.0s");
  EXPECT_EQ(FormatSeconds(0.44), "0.4s");
  EXPECT_EQ(FormatSeconds(59.96), "1m 00s");  // not "60.0s"
  EXPECT_EQ(FormatSeconds(200), "3m 20s");
  EXPECT_EQ(FormatSeconds(3599.7), "1h 00m");
  EXPECT_EQ(FormatSeconds(3900), "1h 05m");
}

TEST(FormatSecondsTest, ToleratesWhatIsNoDuration) {
  EXPECT_EQ(FormatSeconds(-1), "unknown");
  EXPECT_EQ(FormatSeconds(std::numeric_limits<double>::quiet_NaN()), "unknown");
  EXPECT_FALSE(FormatSeconds(std::numeric_limits<double>::infinity()).empty());
}

}  // namespace
}  // namespace clm
