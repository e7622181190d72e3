#include "core/codec/frame_salvage.h"

#include <memory>
#include <string>
#include <vector>

#include "core/codec/frame_encoder.h"
#include "core/codec/frame_reader.h"
#include "core/codec/stored_block.h"
#include "tests/core/codec/codec_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::BlockBegins;
using ::clm::testing::CoderOf;
using ::clm::testing::FixBlockChecksum;
using ::clm::testing::FixFooterChecksum;
using ::clm::testing::FixHeaderChecksum;
using ::clm::testing::Noise;
using ::clm::testing::Order0Predictor;
using ::clm::testing::SetU32;
using ::clm::testing::SetU64;
using ::clm::testing::StatusIs;
using ::clm::testing::Words;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint32_t kBlockBytes = 4096;
constexpr uint64_t kEnd = MissingRange::kUnknownEnd;

struct Salvaged {
  absl::Status status;
  std::string output;
  SalvageSummary summary;
};

// Five blocks, the last shorter, the third stored.
class FrameSalvageTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const BlockCoder> Coder() {
    static const auto* const kCoder =
        new std::shared_ptr<const BlockCoder>(CoderOf(std::make_unique<Order0Predictor>()));
    return *kCoder;
  }
  static Salvaged Salvage(const std::string& frame, const SalvageOptions& options = {},
                          const CodecContext& context = {}) {
    CodecSet codecs = CodecSet::BuiltIn();
    codecs.Add(Coder());
    Salvaged salvaged;
    const auto sink = [&salvaged](absl::string_view bytes) {
      salvaged.output.append(bytes.data(), bytes.size());
      return absl::OkStatus();
    };
    const MemoryFile file(frame);
    const absl::StatusOr<SalvageSummary> summary = SalvageFrame(file, codecs, options, sink, context);
    salvaged.status = summary.status();
    if (summary.ok()) salvaged.summary = *summary;
    return salvaged;
  }

  // The original with zeros where `missing` says.
  std::string Expected(const std::vector<MissingRange>& missing) const {
    std::string expected = data_;
    for (const MissingRange& range : missing) {
      if (range.end >= data_.size()) return expected.substr(0, range.begin);
      expected.replace(range.begin, range.end - range.begin, range.end - range.begin, '\0');
    }
    return expected;
  }
  // What must be missing when exactly `lost` blocks are.
  std::vector<MissingRange> RangesOf(const std::vector<size_t>& lost) const {
    std::vector<MissingRange> ranges;
    for (const size_t index : lost) {
      const uint64_t begin = index * kBlockBytes;
      const uint64_t end = std::min<uint64_t>(begin + kBlockBytes, data_.size());
      if (!ranges.empty() && ranges.back().end == begin) {
        ranges.back().end = end;
      } else {
        ranges.push_back({.begin = begin, .end = end});
      }
    }
    return ranges;
  }
  void ExpectLost(const std::string& frame, const std::vector<size_t>& lost) const {
    const Salvaged salvaged = Salvage(frame);
    ASSERT_OK(salvaged.status);
    EXPECT_EQ(salvaged.summary.missing, RangesOf(lost));
    EXPECT_TRUE(salvaged.output == Expected(salvaged.summary.missing));
    EXPECT_EQ(salvaged.summary.lost_blocks, lost.size());
    EXPECT_EQ(salvaged.summary.intact_blocks, 5 - lost.size());
    EXPECT_EQ(salvaged.summary.intact_bytes + salvaged.summary.lost_bytes, data_.size());
    EXPECT_EQ(salvaged.summary.written_bytes, salvaged.output.size());
    EXPECT_EQ(ToHex(salvaged.summary.sha256), Sha256Hex(salvaged.output));
    EXPECT_EQ(salvaged.summary.complete(), lost.empty());
  }
  void Flip(size_t at) { frame_[at] = static_cast<char>(frame_[at] ^ 1); }

  const std::string data_ = Words(1, 2 * kBlockBytes) + Noise(2, kBlockBytes) + Words(3, kBlockBytes + 1000);
  std::string frame_ = *EncodeFrame(data_, Coder(), {.block_bytes = kBlockBytes});
  const std::vector<size_t> begins_ = BlockBegins(frame_);
};

TEST_F(FrameSalvageTest, AnIntactFrameIsComplete) { ExpectLost(frame_, {}); }

TEST_F(FrameSalvageTest, EachBlockDamagedInTurnLosesThatBlockAlone) {
  const std::string original = frame_;
  for (size_t block = 0; block < 5; ++block) {
    // Every field of the header, the payload, both checksums.
    const size_t length = begins_[block + 1] - begins_[block];
    for (const size_t at :
         {size_t{0}, size_t{3}, size_t{4}, size_t{8}, size_t{12}, size_t{13}, length / 2, length - 8, length - 1}) {
      frame_ = original;
      Flip(begins_[block] + at);
      SCOPED_TRACE(absl::StrCat("block ", block, " byte ", at));
      ExpectLost(frame_, {block});
    }
  }
}

TEST_F(FrameSalvageTest, SeveralBlocksLost) {
  Flip(begins_[1]);
  Flip(begins_[2] + 500);
  Flip(begins_[4] + 9);
  ExpectLost(frame_, {1, 2, 4});
  EXPECT_THAT(Salvage(frame_).summary.missing,
              ElementsAre(MissingRange{.begin = 4096, .end = 12288}, MissingRange{.begin = 16384, .end = 17384}));
}

TEST_F(FrameSalvageTest, APayloadThatDecodesWronglyIsLostEvenWithAGoodChecksum) {
  Flip(begins_[3] + 60);
  FixBlockChecksum(frame_, begins_[3], begins_[4] - begins_[3]);
  ExpectLost(frame_, {3});
}

// Stored, which is fast, in three blocks.
TEST_F(FrameSalvageTest, TruncationAtEveryOffsetKeepsTheWholeBlocks) {
  const std::string data = data_.substr(0, 2 * kBlockBytes + 100);
  const std::string frame = *EncodeFrame(data, std::make_shared<StoredBlock>(), {.block_bytes = kBlockBytes});
  const std::vector<size_t> begins = BlockBegins(frame);
  for (size_t length = 0; length < frame.size(); ++length) {
    const Salvaged salvaged = Salvage(frame.substr(0, length));
    size_t whole = 0;
    while (whole < 3 && begins[whole + 1] <= length) ++whole;
    if (whole == 0) {
      ASSERT_THAT(salvaged.status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("frame"))) << length;
      continue;
    }
    ASSERT_OK(salvaged.status) << length;
    ASSERT_TRUE(salvaged.output == data.substr(0, whole * kBlockBytes)) << length;
    ASSERT_EQ(salvaged.summary.lost_blocks, 3 - whole) << length;
    ASSERT_FALSE(salvaged.summary.complete()) << length;
  }
}

TEST_F(FrameSalvageTest, AllBlocksWithoutTheFooterAreAllBytesWithoutTheProof) {
  const Salvaged salvaged = Salvage(frame_.substr(0, frame_.size() - 1));
  ASSERT_OK(salvaged.status);
  EXPECT_TRUE(salvaged.output == data_);
  EXPECT_THAT(salvaged.summary.missing, IsEmpty());
  EXPECT_FALSE(salvaged.summary.complete());
}

TEST_F(FrameSalvageTest, AnUnknownLengthEndsInAnOpenRange) {
  SetU64(frame_, 12, ~uint64_t{0});
  SetU32(frame_, 24, 0xffffffff);
  FixHeaderChecksum(frame_);
  ExpectLost(frame_, {});
  const Salvaged salvaged = Salvage(frame_.substr(0, begins_[2] + 5));
  ASSERT_OK(salvaged.status);
  EXPECT_THAT(salvaged.summary.missing, ElementsAre(MissingRange{.begin = 8192, .end = kEnd}));
  EXPECT_FALSE(salvaged.summary.original_bytes.has_value());
  EXPECT_EQ(salvaged.summary.lost_bytes, 0U);
  // The short block tells the length.
  const Salvaged ends = Salvage(frame_.substr(0, begins_[5]));
  EXPECT_EQ(ends.summary.original_bytes, data_.size());
  EXPECT_THAT(ends.summary.missing, IsEmpty());
}

TEST_F(FrameSalvageTest, WhatCannotBeSalvagedIsRefusedByName) {
  const std::string original = frame_;
  Flip(40);
  EXPECT_THAT(Salvage(frame_).status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("frame header: checksum")));
  EXPECT_THAT(Salvage(original.substr(10)).status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not a frame")));
  frame_ = original;
  Flip(28);
  FixHeaderChecksum(frame_);
  EXPECT_THAT(Salvage(frame_).status,
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("was made with predictor")));
  EXPECT_THAT(Salvage(original, {.max_original_bytes = 10000}).status,
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("the limit is 10000")));
  frame_ = original;
  for (size_t block = 0; block < 5; ++block) Flip(begins_[block] + 20);
  EXPECT_THAT(Salvage(frame_).status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("none of its blocks")));
  EXPECT_EQ(Salvage(frame_).output, "");
}

TEST_F(FrameSalvageTest, ADigestThatDiffersIsNotComplete) {
  frame_[frame_.size() - 20] = static_cast<char>(frame_[frame_.size() - 20] ^ 1);
  FixFooterChecksum(frame_, 5);
  const Salvaged salvaged = Salvage(frame_);
  ASSERT_OK(salvaged.status);
  EXPECT_FALSE(salvaged.summary.complete());
}

TEST_F(FrameSalvageTest, AnyThreadCountGivesTheSame) {
  Flip(begins_[1] + 30);
  const Salvaged alone = Salvage(frame_);
  for (const size_t threads : {2U, 8U}) {
    ThreadPool pool(threads);
    const Salvaged together = Salvage(frame_, {}, {.pool = &pool});
    EXPECT_TRUE(together.output == alone.output);
    EXPECT_EQ(together.summary.missing, alone.summary.missing);
  }
}

TEST_F(FrameSalvageTest, AnEmptyOriginalIsWhole) {
  const std::string empty = *EncodeFrame("", Coder());
  EXPECT_TRUE(Salvage(empty).summary.complete());
  const Salvaged cut = Salvage(empty.substr(0, empty.size() - 1));
  ASSERT_OK(cut.status);
  EXPECT_THAT(cut.summary.missing, IsEmpty());
  EXPECT_FALSE(cut.summary.complete());
}

// Whatever happens to a frame, bytes outside the missing ranges are those of the original.
TEST_F(FrameSalvageTest, RandomDamageNeverGivesAWrongByte) {
  const std::string original = *EncodeFrame(data_, std::make_shared<StoredBlock>(), {.block_bytes = kBlockBytes});
  for (uint64_t round = 0; round < 1000; ++round) {
    CounterRng rng(7, "salvage", round);
    frame_ = original;
    for (uint64_t edits = 1 + rng.NextBelow(4); edits > 0; --edits) {
      const size_t at = kFrameHeaderBytes + rng.NextBelow(frame_.size() - kFrameHeaderBytes);
      const size_t length = 1 + rng.NextBelow(5000);
      switch (rng.NextBelow(4)) {
        case 0:
          Flip(at);
          break;
        case 1:
          frame_.erase(at, length);
          break;
        case 2:
          frame_.insert(at,
                        frame_.substr(kFrameHeaderBytes + rng.NextBelow(frame_.size() - kFrameHeaderBytes), length));
          break;
        default:
          frame_.resize(at);
      }
      if (frame_.size() <= kFrameHeaderBytes) break;
    }
    const Salvaged salvaged = Salvage(frame_);
    if (!salvaged.status.ok()) {
      ASSERT_THAT(salvaged.status, StatusIs(absl::StatusCode::kDataLoss)) << round;
      continue;
    }
    ASSERT_TRUE(salvaged.output == Expected(salvaged.summary.missing)) << round;
    ASSERT_EQ(salvaged.summary.complete(), salvaged.summary.missing.empty() && salvaged.summary.sha256_verified);
  }
}

}  // namespace
}  // namespace clm
