#include "core/codec/block.h"

#include <string>

#include "core/codec/count_coder.h"
#include "tests/core/codec/codec_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::FixBlockChecksum;
using ::clm::testing::SetU32;
using ::clm::testing::StatusIs;
using ::clm::testing::Words;
using ::testing::HasSubstr;

class BlockTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::string> Decode() const {
    const BlockPlace place = {.index = 2, .offset = 500};
    const absl::StatusOr<BlockHeader> header = ParseBlockHeader(bytes_, frame_, place);
    if (!header.ok()) return header.status();
    return DecodeBlock(bytes_, *header, place, coder_, {});
  }

  const CountCoder coder_;
  const FrameHeader frame_ = {.codec = coder_.parameters(), .block_bytes = 4096, .original_bytes = {}};
  const std::string raw_ = Words(1, 600);
  std::string bytes_ = SerializeBlock(2, CodecId::kCount, raw_, *coder_.Encode(raw_, {}));
};

TEST_F(BlockTest, ComesBack) { EXPECT_EQ(*Decode(), raw_); }

TEST_F(BlockTest, StoredComesBackInAnyFrame) {
  bytes_ = SerializeBlock(2, CodecId::kStored, raw_, raw_);
  EXPECT_EQ(*Decode(), raw_);
}

TEST_F(BlockTest, DamageNamesBlockAndByte) {
  bytes_[40] = static_cast<char>(bytes_[40] ^ 1);
  EXPECT_THAT(Decode(), StatusIs(absl::StatusCode::kDataLoss,
                                 HasSubstr("frame block 2 at byte 500: checksum mismatch of the coded bytes")));
}

TEST_F(BlockTest, AWrongPayloadWithARightChecksumIsNoticed) {
  bytes_[40] = static_cast<char>(bytes_[40] ^ 1);
  FixBlockChecksum(bytes_, 0, bytes_.size());
  EXPECT_THAT(Decode(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("frame block 2 at byte 500")));
}

TEST_F(BlockTest, TheRawChecksumIsChecked) {
  SetU32(bytes_, bytes_.size() - 4, 0);
  EXPECT_THAT(Decode(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("checksum mismatch of the decoded bytes")));
}

TEST_F(BlockTest, RepeatedAndMisplacedBlocksHaveTheirOwnMessages) {
  SetU32(bytes_, 0, 1);
  EXPECT_THAT(Decode(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("block 1 comes again")));
  SetU32(bytes_, 0, 3);
  EXPECT_THAT(Decode(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("block 3 stands in its place")));
}

TEST_F(BlockTest, LengthsAreCheckedBeforeAnythingElse) {
  for (uint32_t raw_bytes : {0U, 4097U, 0xffffffffU}) {
    SetU32(bytes_, 4, raw_bytes);
    EXPECT_THAT(Decode(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("raw length")));
  }
  SetU32(bytes_, 4, 600);
  for (uint32_t coded_bytes : {600U, 0xffffffffU}) {
    SetU32(bytes_, 8, coded_bytes);
    EXPECT_THAT(Decode(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("coded length")));
  }
}

TEST_F(BlockTest, ACodecThatTheFrameDoesNotUseIsRefused) {
  bytes_[12] = 2;
  EXPECT_THAT(Decode(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("codec id 2 in a frame of count blocks")));
}

TEST_F(BlockTest, CancellationIsNotDamage) {
  CancellationSource source;
  source.Cancel();
  const BlockPlace place = {.index = 2, .offset = 500};
  ASSERT_OK_AND_ASSIGN(const BlockHeader header, ParseBlockHeader(bytes_, frame_, place));
  EXPECT_THAT(DecodeBlock(bytes_, header, place, coder_, source.token()), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace clm
