#include "core/base/byte_reader.h"

#include <string>

#include "core/base/byte_writer.h"
#include "gmock/gmock.h"

namespace clm {
namespace {

TEST(ByteReaderTest, ReadsLittleEndianWhatTheWriterWrote) {
  ByteWriter out;
  out.WriteU8(0xfe);
  out.WriteU16(0x0102);
  out.WriteU32(0x80000001);
  out.WriteU64(0xfedcba9876543210);
  out.WriteBytes("abc");
  EXPECT_EQ(out.size(), 18u);
  const std::string data = out.Take();
  EXPECT_EQ(data.substr(1, 2), "\x02\x01");

  ByteReader in(data);
  uint8_t u8 = 0;
  uint16_t u16 = 0;
  uint32_t u32 = 0;
  uint64_t u64 = 0;
  absl::string_view bytes;
  ASSERT_TRUE(in.ReadU8(u8) && in.ReadU16(u16) && in.ReadU32(u32) && in.ReadU64(u64) && in.ReadBytes(3, bytes));
  EXPECT_EQ(u8, 0xfe);
  EXPECT_EQ(u16, 0x0102);
  EXPECT_EQ(u32, 0x80000001);
  EXPECT_EQ(u64, 0xfedcba9876543210);
  EXPECT_EQ(bytes, "abc");
  EXPECT_TRUE(in.empty());
}

TEST(ByteReaderTest, ReadPastTheEndChangesNothing) {
  ByteReader in(absl::string_view("abc", 3));
  uint32_t u32 = 77;
  absl::string_view bytes = "before";
  EXPECT_FALSE(in.ReadU32(u32));
  EXPECT_FALSE(in.ReadBytes(4, bytes));
  EXPECT_FALSE(in.ReadBytes(~size_t{0}, bytes));
  EXPECT_EQ(u32, 77u);
  EXPECT_EQ(bytes, "before");
  EXPECT_EQ(in.position(), 0u);
  EXPECT_EQ(in.remaining(), 3u);
  uint16_t u16 = 0;
  EXPECT_TRUE(in.ReadU16(u16));
  EXPECT_FALSE(in.ReadU16(u16));
  EXPECT_EQ(in.remaining(), 1u);
}

}  // namespace
}  // namespace clm
