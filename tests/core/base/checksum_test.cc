#include "core/base/checksum.h"

#include <string>

#include "core/base/rng.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

// The definition: one bit at a time.
uint32_t Crc32cReference(absl::string_view data) {
  uint32_t crc = 0xffffffff;
  for (const char c : data) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
  }
  return ~crc;
}

std::string RandomBytes(size_t size, uint64_t index) {
  CounterRng rng(1, "checksum_test", index);
  std::string data(size, '\0');
  for (char& c : data) c = static_cast<char>(rng.NextU32());
  return data;
}

TEST(Crc32cTest, GivesThePublishedValues) {  // RFC 3720, B.4, and the "check" value of the CRC catalogue
  std::string up;
  std::string down;
  for (int i = 0; i < 32; ++i) {
    up.push_back(static_cast<char>(i));
    down.push_back(static_cast<char>(31 - i));
  }
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Crc32c(up), 0x46dd794eu);
  EXPECT_EQ(Crc32c(down), 0x113fdb5cu);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(""), 0u);
}

TEST(Crc32cTest, HardwareAndPortableAgreeWithReferenceAtEveryLengthAndAlignment) {
  const std::string data = RandomBytes(96, 0);
  for (size_t begin = 0; begin < 9; ++begin) {
    for (size_t length = 0; begin + length <= data.size(); ++length) {
      const absl::string_view piece = absl::string_view(data).substr(begin, length);
      const uint32_t want = Crc32cReference(piece);
      ASSERT_EQ(Crc32c(piece), want) << begin << " " << length;
      ASSERT_EQ(Crc32cPortable(piece), want) << begin << " " << length;
    }
  }
}

TEST(Crc32cTest, ContinuesAcrossAnyCut) {
  const std::string data = RandomBytes(50, 1);
  const uint32_t whole = Crc32c(data);
  for (size_t cut = 0; cut <= data.size(); ++cut) {
    EXPECT_EQ(Crc32c(data.substr(cut), Crc32c(data.substr(0, cut))), whole) << cut;
    EXPECT_EQ(Crc32cPortable(data.substr(cut), Crc32c(data.substr(0, cut))), whole) << cut;
  }
}

}  // namespace
}  // namespace clm
