#include "core/codec/frame_decoder.h"

#include <memory>
#include <string>
#include <vector>

#include "core/codec/adaptive_coder.h"
#include "core/codec/count_coder.h"
#include "core/codec/frame_encoder.h"
#include "core/codec/probability_coder.h"
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
using ::testing::HasSubstr;

std::shared_ptr<const BlockCoder> Order0() {
  static const auto* const kCoder = new std::shared_ptr<const BlockCoder>(CoderOf(std::make_unique<Order0Predictor>()));
  return *kCoder;
}

const CodecSet& Codecs() {
  static const CodecSet* const kCodecs = [] {
    auto* codecs = new CodecSet(CodecSet::BuiltIn());
    codecs->Add(Order0());
    return codecs;
  }();
  return *kCodecs;
}

struct Decoded {
  absl::Status status;
  std::string output;  // also what came before an error
  DecodeSummary summary;
};

Decoded Decode(absl::string_view frame, size_t piece, const FrameDecoderOptions& options = {},
               const CodecContext& context = {}) {
  Decoded decoded;
  const auto sink = [&decoded](absl::string_view bytes) {
    decoded.output.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  };
  const auto decoder = *FrameDecoder::Create(options, Codecs(), sink, context);
  for (size_t i = 0; i < frame.size() && decoded.status.ok(); i += piece) {
    decoded.status = decoder->Append(frame.substr(i, piece));
  }
  if (!decoded.status.ok()) return decoded;
  const absl::StatusOr<DecodeSummary> summary = decoder->Finish();
  decoded.status = summary.status();
  if (summary.ok()) decoded.summary = *summary;
  return decoded;
}

// Five blocks of 4096, the last shorter, the third stored.
class FrameDecoderTest : public ::testing::Test {
 protected:
  absl::Status Status() const { return Decode(frame_, frame_.size()).status; }
  std::string Block(size_t index) const { return frame_.substr(begins_[index], begins_[index + 1] - begins_[index]); }
  std::string Header() const { return frame_.substr(0, kFrameHeaderBytes); }
  std::string Footer() const { return frame_.substr(begins_.back()); }

  const std::string data_ = Words(1, 2 * 4096) + Noise(2, 4096) + Words(3, 4096 + 1000);
  std::string frame_ = *EncodeFrame(data_, Order0(), {.block_bytes = 4096});
  const std::vector<size_t> begins_ = BlockBegins(frame_);
};

TEST_F(FrameDecoderTest, AnyCutAndAnyThreadCountGiveTheBytes) {
  for (size_t threads : {1U, 2U, 8U}) {
    ThreadPool pool(threads);
    for (size_t piece : {7U, 1000U, 100000U}) {
      const Decoded decoded = Decode(frame_, piece, {}, {.pool = &pool});
      ASSERT_OK(decoded.status);
      EXPECT_EQ(decoded.output, data_);
      EXPECT_TRUE(decoded.summary.sha256_verified);
      EXPECT_EQ(ToHex(decoded.summary.sha256), Sha256Hex(data_));
      EXPECT_EQ(decoded.summary.original_bytes, data_.size());
      EXPECT_EQ(decoded.summary.blocks, 5u);
    }
  }
}

TEST_F(FrameDecoderTest, ARangeDecodesOnlyTheBlocksItTouches) {
  for (const auto& [offset, length] : std::vector<std::pair<uint64_t, uint64_t>>{
           {0, 1}, {4095, 2}, {4096, 4096}, {5000, 10000}, {data_.size() - 1, 1}, {0, data_.size()}}) {
    const Decoded decoded = Decode(frame_, 999, {.range_offset = offset, .range_length = length});
    ASSERT_OK(decoded.status);
    EXPECT_EQ(decoded.output, data_.substr(offset, length));
    EXPECT_EQ(decoded.summary.decoded_blocks, (offset + length - 1) / 4096 - offset / 4096 + 1);
    EXPECT_FALSE(decoded.summary.sha256_verified);
  }
  EXPECT_THAT(Decode(frame_, 999, {.range_offset = data_.size(), .range_length = 1}).status,
              StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT((FrameDecoderOptions{.range_offset = 5}).Validate(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT((FrameDecoderOptions{.range_offset = 5, .range_length = ~uint64_t{0}}).Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(FrameDecoderTest, IntactBlocksBeforeDamageAreWrittenAndNothingElse) {
  frame_[begins_[3] + 100] = static_cast<char>(frame_[begins_[3] + 100] ^ 1);
  for (size_t threads : {1U, 8U}) {
    ThreadPool pool(threads);
    const Decoded decoded = Decode(frame_, frame_.size(), {}, {.pool = &pool});
    EXPECT_THAT(decoded.status, StatusIs(absl::StatusCode::kDataLoss,
                                         HasSubstr("frame block 3 at byte " + std::to_string(begins_[3]))));
    EXPECT_EQ(decoded.output, data_.substr(0, 3 * 4096));
  }
}

TEST_F(FrameDecoderTest, SwappedRepeatedAndMissingBlocksHaveTheirOwnMessages) {
  const std::string original = frame_;
  frame_ = Header() + Block(0) + Block(2) + Block(1) + Block(3) + Block(4) + Footer();
  EXPECT_THAT(Status(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("block 2 stands in its place")));
  frame_ = original;
  frame_ = Header() + Block(0) + Block(1) + Block(1) + Block(2) + Block(3) + Block(4) + Footer();
  EXPECT_THAT(Status(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("block 1 comes again")));
  frame_ = original;
  frame_ = Header() + Block(0) + Block(1) + Block(2) + Block(3) + Footer();
  EXPECT_THAT(Status(), StatusIs(absl::StatusCode::kDataLoss));  // the footer has the length of five blocks
  frame_ = original;
  frame_ = Header() + Block(0) + Block(2) + Block(3) + Block(4) + Footer();
  EXPECT_THAT(Status(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("frame block 1 at byte")));
}

TEST_F(FrameDecoderTest, TrailingBytesAndASecondFrameHaveTheirOwnMessages) {
  const std::string original = frame_;
  frame_ += "x";
  EXPECT_THAT(Status(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("more bytes follow")));
  frame_ = original + original;
  EXPECT_THAT(Status(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("a second frame follows")));
  EXPECT_THAT(Decode(original + "x", original.size()).status,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("ends at byte " + std::to_string(original.size()))));
}

TEST_F(FrameDecoderTest, TruncationSaysWhere) {
  EXPECT_THAT(Decode(frame_.substr(0, 50), 50).status,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("frame header")));
  EXPECT_THAT(Decode(frame_.substr(0, begins_[2] + 20), 1000).status,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("frame block 2 at byte " + std::to_string(begins_[2]))));
  EXPECT_THAT(Decode(frame_.substr(0, frame_.size() - 1), 1000).status,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("frame footer at byte")));
}

TEST_F(FrameDecoderTest, AFooterThatLiesIsRefused) {
  const std::string original = frame_;
  SetU64(frame_, begins_.back() + 4 + 8, 1);
  FixFooterChecksum(frame_, 5);
  EXPECT_THAT(Status(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("block 1 begins at byte")));
  frame_ = original;
  SetU64(frame_, frame_.size() - kFooterTailBytes, 17);
  FixFooterChecksum(frame_, 5);
  EXPECT_THAT(Status(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("the footer says 17")));
  frame_ = original;
  frame_[frame_.size() - 20] = static_cast<char>(frame_[frame_.size() - 20] ^ 1);
  FixFooterChecksum(frame_, 5);
  EXPECT_THAT(Status(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("SHA-256")));
}

TEST_F(FrameDecoderTest, ABlockAfterAShortOneIsRefused) {
  frame_ = *EncodeFrame(Words(4, 4096 + 4096 + 5), Order0(), {.block_bytes = 4096});
  const std::string other = *EncodeFrame(Words(4, 100), Order0(), {.block_bytes = 4096});
  const std::vector<size_t> begins = BlockBegins(frame_);
  std::string short_block = other.substr(kFrameHeaderBytes, BlockBegins(other)[1] - kFrameHeaderBytes);
  frame_ = frame_.substr(0, kFrameHeaderBytes) + short_block + frame_.substr(begins[1]);
  EXPECT_THAT(Status(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("follows a block shorter")));
}

TEST_F(FrameDecoderTest, MoreBytesThanTheHeaderSaysAreRefused) {
  SetU64(frame_, 12, 4096);
  SetU32(frame_, 24, 1);
  FixHeaderChecksum(frame_);
  EXPECT_THAT(Status(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("the header says 4096")));
}

TEST_F(FrameDecoderTest, LimitsAreKept) {
  EXPECT_THAT(Decode(frame_, 100, {.max_original_bytes = 1000}).status,
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("the limit is 1000")));
  SetU64(frame_, 12, ~uint64_t{0});
  SetU32(frame_, 24, 0xffffffff);
  FixHeaderChecksum(frame_);
  const Decoded unknown_length = Decode(frame_, 100, {.max_original_bytes = 10000});
  EXPECT_THAT(unknown_length.status,
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("frame block 2 makes 12288")));
  EXPECT_EQ(unknown_length.output.size(), 8192u);
  EXPECT_OK(Decode(frame_, 100).status);
}

TEST_F(FrameDecoderTest, AnotherPredictorIsAFailedPrecondition) {
  EXPECT_THAT(DecodeFrame(frame_, CodecSet::BuiltIn()), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(FrameDecoderTest, CancellationStopsItForGood) {
  CancellationSource source;
  const auto decoder = *FrameDecoder::Create({}, Codecs(), [](absl::string_view) { return absl::OkStatus(); },
                                             {.cancel = source.token()});
  EXPECT_OK(decoder->Append(frame_.substr(0, 3000)));
  source.Cancel();
  EXPECT_THAT(decoder->Append(frame_.substr(3000)), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(decoder->Finish(), StatusIs(absl::StatusCode::kCancelled));
}

// The properties that hold for every frame, on small ones of every kind.
class SmallFrameTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "stored") {
      data_ = Noise(20, 1900);
      frame_ = *EncodeFrame(data_, std::make_shared<StoredBlock>());
    } else if (GetParam() == "probability") {
      data_ = Words(21, 900);
      frame_ = *EncodeFrame(data_, Order0());
    } else if (GetParam() == "adaptive") {
      data_ = Words(23, 600);
      frame_ = *EncodeFrame(data_, std::make_shared<AdaptiveCoder>());
    } else {
      data_ = Words(22, 600);
      frame_ = *EncodeFrame(data_, std::make_shared<CountCoder>());
    }
  }
  // Where only a decoded block shows the damage, a slow coder is asked less often. Odd steps reach every bit of a byte.
  size_t StepAt(size_t byte) const {
    const bool is_checked_early = byte <= BlockBegins(frame_).back() - 4;
    return is_checked_early || GetParam() == "stored" ? 1 : GetParam() == "probability" ? 3 : 13;
  }

  std::string data_;
  std::string frame_;
};

TEST_P(SmallFrameTest, EveryTruncationIsDataLoss) {
  for (size_t length = 0; length < frame_.size(); length += StepAt(length)) {
    const absl::StatusOr<std::string> decoded = DecodeFrame(frame_.substr(0, length), Codecs());
    ASSERT_THAT(decoded, StatusIs(absl::StatusCode::kDataLoss)) << "length " << length;
  }
}

TEST_P(SmallFrameTest, EverySingleBitFlipIsRefused) {
  for (size_t bit = 0; bit < frame_.size() * 8; bit += StepAt(bit / 8)) {
    std::string damaged = frame_;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(DecodeFrame(damaged, Codecs()).ok()) << "bit " << bit;
  }
}

TEST_P(SmallFrameTest, RandomDamageNeverGivesWrongOutput) {
  const size_t blocks = BlockBegins(frame_).size() - 1;
  for (uint64_t round = 0; round < 150; ++round) {
    CounterRng rng(23, "damage", round);
    std::string damaged = frame_;
    for (uint64_t edits = 1 + rng.NextBelow(3); edits > 0 && !damaged.empty(); --edits) {
      const size_t at = rng.NextBelow(damaged.size());
      const size_t length = 1 + rng.NextBelow(40);
      switch (rng.NextBelow(5)) {
        case 0:
          damaged[at] = static_cast<char>(static_cast<uint8_t>(rng.NextU32()));
          break;
        case 1:
          damaged.erase(at, length);
          break;
        case 2:
          damaged.insert(at, damaged.substr(rng.NextBelow(damaged.size()), length));
          break;
        case 3:
          damaged.insert(at, Noise(round, length));
          break;
        default:
          damaged.resize(at);
      }
    }
    // Every other round with checksums that do not give the damage away at once.
    if (round % 2 == 0 && damaged.size() > kFrameHeaderBytes + FooterBytes(blocks)) {
      FixHeaderChecksum(damaged);
      FixFooterChecksum(damaged, blocks);
      const size_t block_end = damaged.size() - FooterBytes(blocks);
      if (block_end > kFrameHeaderBytes + kBlockOverheadBytes) {
        FixBlockChecksum(damaged, kFrameHeaderBytes, block_end - kFrameHeaderBytes);
      }
    }
    const absl::StatusOr<std::string> decoded = DecodeFrame(damaged, Codecs());
    if (decoded.ok()) {
      EXPECT_EQ(*decoded, data_) << "round " << round;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryCodec, SmallFrameTest, ::testing::Values("stored", "probability", "count", "adaptive"),
                         [](const auto& test) { return test.param; });

TEST(LargeFrameTest, TruncationAnywhereIsDataLoss) {
  const std::string frame = *EncodeFrame(Noise(30, 1 << 20), std::make_shared<StoredBlock>(), {.block_bytes = 65536});
  for (uint64_t round = 0; round < 60; ++round) {
    const size_t length = CounterRng(31, "cut", round).NextBelow(frame.size());
    EXPECT_THAT(Decode(frame.substr(0, length), 65536).status, StatusIs(absl::StatusCode::kDataLoss)) << length;
  }
}

}  // namespace
}  // namespace clm
