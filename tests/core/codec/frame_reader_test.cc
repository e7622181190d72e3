#include "core/codec/frame_reader.h"

#include <memory>
#include <string>
#include <vector>

#include "core/codec/frame_encoder.h"
#include "core/codec/stored_block.h"
#include "tests/core/codec/codec_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::BlockBegins;
using ::clm::testing::FixFooterChecksum;
using ::clm::testing::SetU32;
using ::clm::testing::SetU64;
using ::clm::testing::StatusIs;
using ::clm::testing::Words;
using ::testing::HasSubstr;

class FrameReaderTest : public ::testing::Test {
 protected:
  absl::StatusOr<FrameReader> Open() { return FrameReader::Create(file_, CodecSet::BuiltIn()); }

  const std::string data_ = Words(1, 3 * 4096 + 500);
  std::string frame_ = *EncodeFrame(data_, std::make_shared<StoredBlock>(), {.block_bytes = 4096});
  const std::vector<size_t> begins_ = BlockBegins(frame_);
  const MemoryFile file_{frame_};
};

TEST_F(FrameReaderTest, EveryBlockComesBackInAnyOrder) {
  ASSERT_OK_AND_ASSIGN(const FrameReader reader, Open());
  EXPECT_EQ(reader.original_bytes(), data_.size());
  EXPECT_EQ(ToHex(reader.sha256()), Sha256Hex(data_));
  ASSERT_EQ(reader.block_count(), 4u);
  for (size_t index : {3U, 0U, 2U, 1U}) EXPECT_EQ(*reader.DecodeBlock(index, {}), data_.substr(index * 4096, 4096));
  EXPECT_THAT(reader.DecodeBlock(4, {}), StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("block 4")));
}

TEST_F(FrameReaderTest, RangesAreCutFromTheirBlocks) {
  ASSERT_OK_AND_ASSIGN(const FrameReader reader, Open());
  for (const auto& [offset, length] : std::vector<std::pair<uint64_t, uint64_t>>{
           {0, 0}, {0, 10}, {4090, 10}, {1, 9000}, {data_.size() - 3, 3}, {data_.size(), 0}, {0, data_.size()}}) {
    std::string got;
    const auto sink = [&got](absl::string_view bytes) {
      got.append(bytes.data(), bytes.size());
      return absl::OkStatus();
    };
    ASSERT_OK(reader.DecodeRange(offset, length, sink, {}));
    EXPECT_EQ(got, data_.substr(offset, length));
  }
  EXPECT_THAT(reader.DecodeRange(data_.size(), 1, [](absl::string_view) { return absl::OkStatus(); }, {}),
              StatusIs(absl::StatusCode::kOutOfRange));
}

TEST_F(FrameReaderTest, DamageInOneBlockLeavesTheOthersReadable) {
  frame_[begins_[1] + 20] = static_cast<char>(frame_[begins_[1] + 20] ^ 1);
  ASSERT_OK_AND_ASSIGN(const FrameReader reader, Open());
  EXPECT_THAT(reader.DecodeBlock(1, {}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("frame block 1 at byte " + std::to_string(begins_[1]))));
  EXPECT_OK(reader.DecodeBlock(0, {}));
  EXPECT_OK(reader.DecodeBlock(2, {}));
}

TEST_F(FrameReaderTest, ABlockCountThatTheFileCannotHoldIsRefusedBeforeAllocation) {
  SetU32(frame_, frame_.size() - kFooterTailBytes + 8, 0xfffffffe);
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("4294967294 blocks in a file of")));
}

TEST_F(FrameReaderTest, OffsetsThatCannotBeAreRefused) {
  for (uint64_t offset : {uint64_t{0}, uint64_t{84}, uint64_t{100}, uint64_t{9000}, ~uint64_t{0}}) {
    SetU64(frame_, begins_.back() + 4 + 8, offset);
    FixFooterChecksum(frame_, 4);
    EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("frame footer: offset"))) << offset;
  }
  // A possible offset, but not where the block begins.
  SetU64(frame_, begins_.back() + 4 + 8, begins_[1]);
  SetU64(frame_, begins_.back() + 4 + 3 * 8, begins_[3] - 1);
  FixFooterChecksum(frame_, 4);
  ASSERT_OK_AND_ASSIGN(const FrameReader reader, Open());
  EXPECT_THAT(reader.DecodeBlock(2, {}), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("frame block 2 at byte")));
  EXPECT_THAT(reader.DecodeBlock(3, {}), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("frame block 3 at byte")));
}

TEST_F(FrameReaderTest, TruncationAndTrailingBytesAreRefused) {
  for (size_t length = 0; length < frame_.size(); length += length < 200 ? 1 : 97) {
    const MemoryFile cut(absl::string_view(frame_).substr(0, length));
    EXPECT_THAT(FrameReader::Create(cut, CodecSet::BuiltIn()), StatusIs(absl::StatusCode::kDataLoss)) << length;
  }
  const std::string longer = frame_ + "x";
  EXPECT_THAT(FrameReader::Create(MemoryFile(longer), CodecSet::BuiltIn()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("followed by other bytes")));
}

TEST_F(FrameReaderTest, AnEmptyOriginalHasNoBlocks) {
  const std::string frame = *EncodeFrame("", std::make_shared<StoredBlock>());
  const MemoryFile file(frame);
  ASSERT_OK_AND_ASSIGN(const FrameReader reader, FrameReader::Create(file, CodecSet::BuiltIn()));
  EXPECT_EQ(reader.block_count(), 0u);
  EXPECT_EQ(reader.original_bytes(), 0u);
}

}  // namespace
}  // namespace clm
