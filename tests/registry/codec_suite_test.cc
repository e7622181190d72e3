// What every codec of a frame promises, tested on every one of them: a new id is picked up by itself.
//
// CLM_ROUND_TRIPS says how many random round trips all codecs do together (default 210), CLM_ROUND_TRIP_SEED with which
// numbers (default 1); a million take about half an hour of one processor.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/codec/frame_decoder.h"
#include "core/codec/frame_encoder.h"
#include "core/codec/frame_reader.h"
#include "tests/core/codec/codec_testing.h"
#include "tests/registry/allocation_watch.h"
#include "tests/registry/codec_rows.h"

namespace clm {
namespace {

using ::clm::testing::BlockBegins;
using ::clm::testing::CoderOfModel;
using ::clm::testing::EveryCodec;
using ::clm::testing::FixBlockChecksum;
using ::clm::testing::FixFooterChecksum;
using ::clm::testing::FixHeaderChecksum;
using ::clm::testing::ForgetAllocations;
using ::clm::testing::LargestAllocation;
using ::clm::testing::Noise;
using ::clm::testing::RememberingCoder;
using ::clm::testing::SetU32;
using ::clm::testing::SetU64;
using ::clm::testing::StatusIs;
using ::clm::testing::TestName;
using ::clm::testing::TinyCodingModel;
using ::clm::testing::Words;

uint64_t NumberFromEnvironment(const char* name, uint64_t otherwise) {
  uint64_t number = 0;
  const char* text = std::getenv(name);
  return text != nullptr && absl::SimpleAtoi(text, &number) ? number : otherwise;
}

// Most are small, so that many rounds fit into a second; all sizes to 64 KiB come.
size_t RandomSize(CounterRng& rng) {
  const uint64_t kind = rng.NextBelow(1000);
  if (kind < 900) return rng.NextBelow(129);
  if (kind < 985) return rng.NextBelow(2049);
  if (kind < 998) return rng.NextBelow(10001);
  return rng.NextBelow((64 << 10) + 1);
}

std::string RandomData(CounterRng& rng) {
  const size_t size = RandomSize(rng);
  const uint64_t seed = rng.NextU32();
  switch (rng.NextBelow(5)) {
    case 0:
      return Noise(seed, size);
    case 1:
      return std::string(size, static_cast<char>(static_cast<uint8_t>(seed)));
    case 2: {
      std::string few = Noise(seed, size);
      for (char& byte : few) byte = static_cast<char>(byte & 3);
      return few;
    }
    case 3: {
      const size_t noise = rng.NextBelow(size + 1);
      return Words(seed, size - noise) + Noise(seed, noise);
    }
    default:
      return Words(seed, size);
  }
}

// One to three changes, half the time with checksums that do not give them away at once.
std::string Mutated(CounterRng& rng, const std::string& frame, size_t blocks) {
  std::string damaged = frame;
  for (uint64_t edits = 1 + rng.NextBelow(3); edits > 0 && !damaged.empty(); --edits) {
    const size_t at = rng.NextBelow(damaged.size());
    const size_t length = 1 + rng.NextBelow(40);
    switch (rng.NextBelow(6)) {
      case 0:
        damaged[at] = static_cast<char>(static_cast<uint8_t>(rng.NextU32()));
        break;
      case 1:
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << rng.NextBelow(8)));
        break;
      case 2:
        damaged.erase(at, length);
        break;
      case 3:
        damaged.insert(at, damaged.substr(rng.NextBelow(damaged.size()), length));
        break;
      case 4:
        damaged.insert(at, Noise(rng.NextU32(), length));
        break;
      default:
        damaged.resize(at);
    }
  }
  if (rng.NextBelow(2) == 0 || damaged.size() <= kFrameHeaderBytes + FooterBytes(blocks)) return damaged;
  FixHeaderChecksum(damaged);
  FixFooterChecksum(damaged, blocks);
  const size_t block_end = damaged.size() - FooterBytes(blocks);
  if (block_end > kFrameHeaderBytes + kBlockOverheadBytes) {
    FixBlockChecksum(damaged, kFrameHeaderBytes, block_end - kFrameHeaderBytes);
  }
  return damaged;
}

class EveryCodecTest : public ::testing::TestWithParam<CodecId> {
 protected:
  static std::shared_ptr<const BlockCoder> Coder() {
    static const auto* const kModel = new std::shared_ptr<const CodingModel>(TinyCodingModel());
    return CoderOfModel(GetParam(), *kModel);
  }
  static CodecSet CodecsWith(std::shared_ptr<const BlockCoder> coder) {
    CodecSet codecs;
    codecs.Add(std::move(coder));
    return codecs;
  }

  // Original and frame of at least 2 KiB in one block.
  static std::pair<std::string, std::string> FrameOfTwoKibibytes() {
    for (size_t bytes = 1900;; bytes += bytes / 4) {
      std::string data = Words(3, bytes) + Noise(4, GetParam() == CodecId::kStored ? size_t{0} : size_t{600});
      std::string frame = *EncodeFrame(data, Coder(), {.verify = VerifyMode::kNone});
      if (frame.size() >= 2048) return {std::move(data), std::move(frame)};
    }
  }
};

TEST_P(EveryCodecTest, RandomRoundTripsAndMutatedFramesNeverGiveWrongBytes) {
  const uint64_t rounds = NumberFromEnvironment("CLM_ROUND_TRIPS", 210) / EveryCodec().size();
  const uint64_t seed = NumberFromEnvironment("CLM_ROUND_TRIP_SEED", 1);
  const std::shared_ptr<const BlockCoder> coder = Coder();
  const CodecSet codecs = CodecsWith(coder);
  uint64_t refused = 0;
  for (uint64_t round = 0; round < rounds; ++round) {
    CounterRng rng(seed, absl::StrCat("round trip ", static_cast<int>(GetParam())), round);
    const std::string data = RandomData(rng);
    const FrameEncoderOptions options = {.block_bytes = rng.NextBelow(2) == 0 ? kMinBlockBytes : kDefaultBlockBytes,
                                         .verify = VerifyMode::kNone};
    ASSERT_OK_AND_ASSIGN(const std::string frame, EncodeFrame(data, coder, options));
    ASSERT_LE(frame.size(), data.size() + kFrameHeaderBytes +
                                (kBlockOverheadBytes + 8) * BlockCountOf(data.size(), options.block_bytes) +
                                FooterBytes(0));
    const absl::StatusOr<std::string> decoded = DecodeFrame(frame, codecs);
    ASSERT_TRUE(decoded.ok() && *decoded == data) << "seed " << seed << " round " << round << " " << decoded.status();
    const std::string damaged = Mutated(rng, frame, BlockCountOf(data.size(), options.block_bytes));
    const absl::StatusOr<std::string> other = DecodeFrame(damaged, codecs);
    ASSERT_TRUE(!other.ok() || *other == data) << "seed " << seed << " round " << round;
    if (!other.ok()) ++refused;
  }
  std::printf("%llu round trips, %llu of as many mutated frames refused, the others harmless\n",
              static_cast<unsigned long long>(rounds), static_cast<unsigned long long>(refused));
}

TEST_P(EveryCodecTest, EverySingleBitFlipOfTwoKibibytesIsRefused) {
  const auto [data, frame] = FrameOfTwoKibibytes();
  const CodecSet codecs = CodecsWith(std::make_shared<RememberingCoder>(Coder()));
  ASSERT_EQ(*DecodeFrame(frame, codecs), data);
  for (size_t bit = 0; bit < frame.size() * 8; ++bit) {
    std::string damaged = frame;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const absl::StatusOr<std::string> decoded = DecodeFrame(damaged, codecs);
    ASSERT_FALSE(decoded.ok()) << "bit " << bit;
  }
}

TEST_P(EveryCodecTest, TruncationAtEveryOffsetIsDataLoss) {
  const auto [data, frame] = FrameOfTwoKibibytes();
  const CodecSet codecs = CodecsWith(std::make_shared<RememberingCoder>(Coder()));
  for (size_t length = 0; length < frame.size(); ++length) {
    ASSERT_THAT(DecodeFrame(frame.substr(0, length), codecs), StatusIs(absl::StatusCode::kDataLoss)) << length;
    const MemoryFile file(absl::string_view(frame).substr(0, length));
    ASSERT_THAT(FrameReader::Create(file, codecs), StatusIs(absl::StatusCode::kDataLoss)) << length;
  }
}

TEST_P(EveryCodecTest, HeaderBombsAreRefusedBeforeAllocation) {
  constexpr size_t kAllowedBytes = size_t{1} << 20;
  constexpr size_t kDecodingBytes = size_t{64} << 20;  // where a block is decoded before the lie is reached
  const auto [data, frame] = FrameOfTwoKibibytes();
  const CodecSet codecs = CodecsWith(Coder());
  const auto expect_refused = [&](const std::string& bomb, const char* name) {
    ForgetAllocations();
    EXPECT_THAT(DecodeFrame(bomb, codecs), StatusIs(absl::StatusCode::kDataLoss)) << name;
    EXPECT_LT(LargestAllocation(), kAllowedBytes) << name;
  };
  struct Bomb {
    const char* name;
    size_t at;
    uint64_t value;
    bool is_long;
  };
  for (const Bomb& bomb :
       {Bomb{"original length", 12, uint64_t{1} << 63, true}, Bomb{"original length in blocks", 12, 1 << 30, true},
        Bomb{"block size 0", 20, 0, false}, Bomb{"block size 4 GiB", 20, 0xffffffff, false},
        Bomb{"block count", 24, 0xffffffff, false}}) {
    std::string bad = frame;
    if (bomb.is_long) {
      SetU64(bad, bomb.at, bomb.value);
    } else {
      SetU32(bad, bomb.at, static_cast<uint32_t>(bomb.value));
    }
    FixHeaderChecksum(bad);
    expect_refused(bad, bomb.name);
  }
  {
    // A gibibyte that is not there, in a header that agrees with itself.
    std::string bad = frame;
    SetU64(bad, 12, uint64_t{1} << 30);
    SetU32(bad, 24, static_cast<uint32_t>((uint64_t{1} << 30) / kDefaultBlockBytes));
    FixHeaderChecksum(bad);
    ForgetAllocations();
    EXPECT_THAT(DecodeFrame(bad, codecs), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_LT(LargestAllocation(), kDecodingBytes);
  }
  const size_t block = kFrameHeaderBytes;
  for (const size_t field : {block + 4, block + 8}) {
    std::string bad = frame;
    SetU32(bad, field, 0xffffffff);
    FixBlockChecksum(bad, block, BlockBegins(frame)[1] - block);
    expect_refused(bad, field == block + 4 ? "raw length" : "coded length");
  }
  // In the payload itself: what a coder may believe of it is bounded by the block's length.
  for (size_t at = 0; at < 16; at += 4) {
    std::string bad = frame;
    SetU32(bad, block + kBlockHeaderBytes + at, 0xffffffff);
    FixBlockChecksum(bad, block, BlockBegins(frame)[1] - block);
    ForgetAllocations();
    EXPECT_FALSE(DecodeFrame(bad, codecs).ok()) << at;
    EXPECT_LT(LargestAllocation(), kDecodingBytes) << at;
  }
  std::string bad = frame;
  SetU32(bad, frame.size() - kFooterTailBytes + 8, 0xfffffffe);
  FixFooterChecksum(bad, 1);
  ForgetAllocations();
  EXPECT_THAT(DecodeFrame(bad, codecs), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_LT(LargestAllocation(), kDecodingBytes);
  ForgetAllocations();
  const MemoryFile file(bad);
  EXPECT_THAT(FrameReader::Create(file, codecs), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_LT(LargestAllocation(), kAllowedBytes);
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryCodecTest, ::testing::ValuesIn(EveryCodec()),
                         [](const auto& test) { return TestName(test.param); });

TEST(CodecRegistryTest, SevenCodecsAreKnown) { EXPECT_EQ(EveryCodec().size(), 7U); }

}  // namespace
}  // namespace clm
