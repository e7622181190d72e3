#include "core/codec/block_finder.h"

#include <memory>
#include <string>
#include <vector>

#include "core/codec/block.h"
#include "core/codec/count_coder.h"
#include "core/codec/frame_encoder.h"
#include "core/codec/frame_reader.h"
#include "core/codec/stored_block.h"
#include "tests/core/codec/codec_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::BlockBegins;
using ::clm::testing::Noise;
using ::clm::testing::StatusIs;
using ::clm::testing::Words;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint32_t kBlockBytes = 4096;

std::string FrameOf(const std::string& data) {
  return *EncodeFrame(data, std::make_shared<StoredBlock>(), {.block_bytes = kBlockBytes});
}

// The indices of the blocks found.
std::vector<uint32_t> Find(const std::string& frame) {
  const MemoryFile file(frame);
  const absl::StatusOr<FoundBlocks> found = FindBlocks(file, *ParseFrameHeader(frame), {});
  EXPECT_OK(found.status());
  std::vector<uint32_t> indices;
  for (const FoundBlock& block : found->blocks) indices.push_back(block.header.index);
  return indices;
}

void Flip(std::string& frame, size_t at) { frame[at] = static_cast<char>(frame[at] ^ 0x40); }

// Six blocks, the last shorter.
class BlockFinderTest : public ::testing::Test {
 protected:
  void LoseFooter() { frame_.resize(begins_.back() + 9); }

  std::string frame_ = FrameOf(Noise(1, 5 * kBlockBytes + 300));
  const std::vector<size_t> begins_ = BlockBegins(frame_);
};

TEST_F(BlockFinderTest, FindsAllOfAnIntactFrame) {
  EXPECT_THAT(Find(frame_), ElementsAre(0, 1, 2, 3, 4, 5));
  frame_ += "and more";
  EXPECT_THAT(Find(frame_), ElementsAre(0, 1, 2, 3, 4, 5));
  LoseFooter();
  EXPECT_THAT(Find(frame_), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST_F(BlockFinderTest, TheFooterProvesWhatLiesBehindADamagedLength) {
  Flip(frame_, begins_[2] + 8);
  Flip(frame_, begins_[3]);
  EXPECT_THAT(Find(frame_), ElementsAre(0, 1, 4, 5));
}

TEST_F(BlockFinderTest, WithoutAFooterADamagedPayloadIsPassed) {
  LoseFooter();
  Flip(frame_, begins_[2] + 100);
  EXPECT_THAT(Find(frame_), ElementsAre(0, 1, 3, 4, 5));
}

TEST_F(BlockFinderTest, WithoutAFooterARunLongerThanABlockIsFoundBehindADamagedLength) {
  LoseFooter();
  Flip(frame_, begins_[2] + 8);
  EXPECT_THAT(Find(frame_), ElementsAre(0, 1, 3, 4, 5));
  // One full and one short block are still longer than a block; a short one alone is not.
  Flip(frame_, begins_[3] + 8);
  EXPECT_THAT(Find(frame_), ElementsAre(0, 1, 4, 5));
  Flip(frame_, begins_[4] + 8);
  EXPECT_THAT(Find(frame_), ElementsAre(0, 1));
}

TEST_F(BlockFinderTest, BlocksThatMovedAreFoundByTheFootersLengths) {
  const std::string original = frame_;
  frame_.erase(begins_[1] + 50, 777);
  EXPECT_THAT(Find(frame_), ElementsAre(0, 2, 3, 4, 5));
  frame_ = original;
  frame_.insert(begins_[3] + 1000, "inserted");
  EXPECT_THAT(Find(frame_), ElementsAre(0, 1, 2, 4, 5));
  frame_ = original;
  frame_.erase(begins_[1], begins_[4] - begins_[1]);
  EXPECT_THAT(Find(frame_), ElementsAre(0, 4, 5));
}

// A frame of blocks that code well lies whole in one stored block of the outer frame.
TEST(NestedBlockFinderTest, BlocksOfAFrameWithinAFrameAreNeverTaken) {
  const std::string inner =
      *EncodeFrame(std::string(8 * kBlockBytes, 'a'), std::make_shared<CountCoder>(), {.block_bytes = kBlockBytes});
  ASSERT_LT(inner.size(), 2048U);
  const std::string data = Noise(2, kBlockBytes) + Noise(3, 500) + inner + Noise(4, 3 * kBlockBytes);
  const std::string outer = *EncodeFrame(data, std::make_shared<CountCoder>(), {.block_bytes = kBlockBytes});
  const std::vector<size_t> begins = BlockBegins(outer);
  for (const size_t field : {0U, 4U, 8U, 12U}) {
    std::string frame = outer;
    Flip(frame, begins[1] + field);
    EXPECT_THAT(Find(frame), ElementsAre(0, 2, 3, 4));
    frame.resize(begins.back());  // no footer: blocks 2 to 4 are the longer run
    const std::vector<uint32_t> without_footer = Find(frame);
    EXPECT_THAT(without_footer, ElementsAre(0, 2, 3, 4)) << field;
    frame.resize(begins[2]);  // nothing is left but what looks like blocks
    EXPECT_THAT(Find(frame), ElementsAre(0)) << field;
  }
}

// Every place looks like the beginning of a long block: checksumming them all would be quadratic.
TEST(HostileBlockFinderTest, ReadsEightTimesTheFileAtMost) {
  class CountingFile final : public RandomAccessFile {
   public:
    explicit CountingFile(absl::string_view data) : data_(data) {}
    uint64_t size_bytes() const override { return data_.size(); }
    absl::Status Read(uint64_t offset, size_t length, std::string& out) const override {
      const absl::string_view read = data_.substr(std::min<uint64_t>(offset, data_.size()), length);
      bytes_read += read.size();
      out.assign(read.data(), read.size());
      return absl::OkStatus();
    }
    mutable uint64_t bytes_read = 0;

   private:
    const absl::string_view data_;
  };
  const FrameHeader header = {.codec = StoredBlock().parameters(), .block_bytes = 65536};
  std::string frame = SerializeFrameHeader(header);
  const std::string block = SerializeBlock(1, CodecId::kStored, std::string(65536, 'x'), std::string(65536, 'x'));
  while (frame.size() < 1 << 20) frame += block.substr(0, kBlockHeaderBytes);
  const CountingFile file(frame);
  ASSERT_OK_AND_ASSIGN(const FoundBlocks found, FindBlocks(file, header, {}));
  EXPECT_THAT(found.blocks, IsEmpty());
  EXPECT_LT(file.bytes_read, 11 * frame.size());
}

TEST(HostileBlockFinderTest, StopsWhenCancelled) {
  CancellationSource source;
  source.Cancel();
  const std::string frame = FrameOf(Noise(5, 3 * kBlockBytes));
  const MemoryFile file(frame);
  EXPECT_THAT(FindBlocks(file, *ParseFrameHeader(frame), source.token()), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace clm
