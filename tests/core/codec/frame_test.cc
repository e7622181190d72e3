#include "core/codec/frame.h"

#include <string>

#include "core/codec/count_coder.h"
#include "tests/core/codec/codec_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::FixHeaderChecksum;
using ::clm::testing::SetU32;
using ::clm::testing::SetU64;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

FrameHeader SampleHeader() {
  return {.codec = CountCoder().parameters(), .block_bytes = 4096, .original_bytes = 10000};
}

class FrameHeaderTest : public ::testing::Test {
 protected:
  absl::Status Parse() const { return ParseFrameHeader(bytes_).status(); }
  // Changes one field and makes the checksum right again.
  void Set32(size_t at, uint32_t value) {
    SetU32(bytes_, at, value);
    FixHeaderChecksum(bytes_);
  }
  void Set8(size_t at, uint8_t value) {
    bytes_[at] = static_cast<char>(value);
    FixHeaderChecksum(bytes_);
  }

  std::string bytes_ = SerializeFrameHeader(SampleHeader());
};

TEST_F(FrameHeaderTest, ComesBack) {
  EXPECT_EQ(bytes_.size(), kFrameHeaderBytes);
  EXPECT_EQ(*ParseFrameHeader(bytes_), SampleHeader());
  FrameHeader unknown = SampleHeader();
  unknown.original_bytes.reset();
  EXPECT_EQ(*ParseFrameHeader(SerializeFrameHeader(unknown)), unknown);
}

TEST_F(FrameHeaderTest, LayoutIsTheDocumentedOne) {
  // docs/formats/frame.md: magic, version, codec, flags, length, original length, block size, block count.
  EXPECT_EQ(bytes_.substr(0, 28), std::string("CLMF\x01\x01\x00\x00\x54\x00\x00\x00"
                                              "\x10\x27\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x03\x00\x00\x00",
                                              28));
  EXPECT_EQ(bytes_[76], 20);  // P
}

TEST_F(FrameHeaderTest, EveryTruncationIsRefused) {
  for (size_t length = 0; length < kFrameHeaderBytes; ++length) {
    EXPECT_THAT(ParseFrameHeader(bytes_.substr(0, length)),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("truncated")));
  }
}

TEST_F(FrameHeaderTest, EveryBitIsCovered) {
  for (size_t bit = 0; bit < kFrameHeaderBytes * 8; ++bit) {
    std::string damaged = bytes_;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(ParseFrameHeader(damaged).ok()) << "bit " << bit;
  }
}

TEST_F(FrameHeaderTest, MagicVersionAndByteOrderHaveTheirOwnMessages) {
  bytes_[0] = 'X';
  EXPECT_THAT(Parse(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not a frame: begins with \"XLMF\"")));
  bytes_.replace(0, 4, "FMLC");
  EXPECT_THAT(Parse(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("byte-swapped")));
  bytes_.replace(0, 4, "CLMF");
  Set8(4, 2);
  EXPECT_THAT(Parse(), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("frame version 2; this program reads")));
  Set8(4, 0);
  EXPECT_THAT(Parse(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("version 0")));
}

TEST_F(FrameHeaderTest, UnknownFlagsAndCodecsAreRefused) {
  Set8(6, 1);
  EXPECT_THAT(Parse(), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("flags 0x1")));
  Set8(6, 0);
  Set8(5, 9);
  EXPECT_THAT(Parse(), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("codec id 9")));
}

TEST_F(FrameHeaderTest, ReservedFieldsAndPrecisionHaveOneLegalValue) {
  Set8(78, 1);
  EXPECT_THAT(Parse(), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("reserved bits 0x1")));
  Set8(78, 0);
  Set8(77, 3);
  EXPECT_THAT(Parse(), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("boundary policy 3")));
  Set8(77, 0);
  Set8(76, 25);
  EXPECT_THAT(Parse(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("precision 25 of a count frame")));
}

TEST_F(FrameHeaderTest, BombsAreRefused) {
  Set32(20, 0);
  EXPECT_THAT(Parse(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("block size 0")));
  Set32(20, 0xffffffff);
  EXPECT_THAT(Parse(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("block size 4294967295")));
  Set32(20, 4096);
  Set32(24, 0xffffffff);
  EXPECT_THAT(Parse(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("the header says 4294967295")));
  SetU64(bytes_, 12, uint64_t{1} << 63);
  FixHeaderChecksum(bytes_);
  EXPECT_THAT(Parse(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("9223372036854775808 bytes in blocks of 4096")));
}

TEST_F(FrameHeaderTest, HeaderLengthIsFixed) {
  Set32(8, 88);
  EXPECT_THAT(Parse(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("length 88, must be 84")));
}

class FrameFooterTest : public ::testing::Test {
 protected:
  FrameFooter footer_ = {.block_offsets = {84, 200}, .original_bytes = 5000, .sha256 = Sha256Of("x")};
  std::string bytes_ = SerializeFrameFooter(footer_);
};

TEST_F(FrameFooterTest, ComesBack) {
  EXPECT_EQ(bytes_.size(), FooterBytes(2));
  ASSERT_OK_AND_ASSIGN(const FrameFooter parsed, ParseFrameFooter(bytes_, 2));
  EXPECT_EQ(parsed.block_offsets, footer_.block_offsets);
  EXPECT_EQ(parsed.original_bytes, footer_.original_bytes);
  EXPECT_EQ(parsed.sha256, footer_.sha256);
}

TEST_F(FrameFooterTest, EveryBitIsCovered) {
  for (size_t bit = 0; bit < bytes_.size() * 8; ++bit) {
    std::string damaged = bytes_;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_THAT(ParseFrameFooter(damaged, 2), StatusIs(absl::StatusCode::kDataLoss)) << "bit " << bit;
  }
}

TEST_F(FrameFooterTest, LengthMustFitTheBlocks) {
  EXPECT_THAT(ParseFrameFooter(bytes_, 1), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("truncated")));
  EXPECT_THAT(ParseFrameFooter("", 0), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("0 of 56 bytes")));
}

TEST(BlockCountOfTest, RoundsUp) {
  EXPECT_EQ(BlockCountOf(0, 4096), 0u);
  EXPECT_EQ(BlockCountOf(1, 4096), 1u);
  EXPECT_EQ(BlockCountOf(8192, 4096), 2u);
  EXPECT_EQ(BlockCountOf(~uint64_t{0}, 4096), uint64_t{1} << 52);
}

}  // namespace
}  // namespace clm
