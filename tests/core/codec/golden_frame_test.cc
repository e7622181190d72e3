// Frames of version 1 that were written once and must be read by every later program: tests/golden/frame/v1.
//
//   accepted/<name>.clmf + <name>.raw   decodes to exactly these bytes; the same bytes still give the same frame
//   refused/<name>.clmf                 must fail with the code and words in kRefused
//
// To add one, extend the tables and run this program once with CLM_WRITE_GOLDEN=1: files that exist are never
// rewritten.
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/base/file_io.h"
#include "core/codec/adaptive_coder.h"
#include "core/codec/count_coder.h"
#include "core/codec/frame_decoder.h"
#include "core/codec/frame_encoder.h"
#include "core/codec/model_coders.h"
#include "core/codec/probability_coder.h"
#include "core/codec/stored_block.h"
#include "core/predict/count_predictor.h"
#include "tests/core/codec/codec_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::AllBytes;
using ::clm::testing::BlockBegins;
using ::clm::testing::CoderOf;
using ::clm::testing::FixBlockChecksum;
using ::clm::testing::FixFooterChecksum;
using ::clm::testing::FixHeaderChecksum;
using ::clm::testing::Noise;
using ::clm::testing::Order0Predictor;
using ::clm::testing::PairRepresentation;
using ::clm::testing::SetU32;
using ::clm::testing::SetU64;
using ::clm::testing::StatusIs;
using ::clm::testing::Words;
using ::testing::HasSubstr;

constexpr size_t kMaxGoldenBytes = 1 << 20;

std::shared_ptr<const BlockCoder> Stored() { return std::make_shared<StoredBlock>(); }
std::shared_ptr<const BlockCoder> Count() { return std::make_shared<CountCoder>(); }
std::shared_ptr<const BlockCoder> Adaptive() { return std::make_shared<AdaptiveCoder>(); }
std::shared_ptr<const BlockCoder> Order0(char version = '0') {
  return CoderOf(std::make_unique<Order0Predictor>(version));
}
std::shared_ptr<const BlockCoder> SlowCount() {
  const CountModelOptions options = {.precision_bits = 16, .contexts_log2 = 10, .history_log2 = 12};
  return CoderOf(*CountPredictor::Create(options, 1));
}

// A coder with a model, over bytes and one pair.
std::shared_ptr<const BlockCoder> WithModel(CodecId codec) {
  auto model = CodingModel::Create(std::make_unique<Order0Predictor>(), std::make_shared<PairRepresentation>());
  return *MakeModelCoder(codec, *std::move(model), 16);
}

CodecSet Codecs() {
  CodecSet codecs = CodecSet::BuiltIn();
  for (const CodecId codec : {CodecId::kRankAns, CodecId::kRankAdaptive, CodecId::kMixed}) codecs.Add(WithModel(codec));
  codecs.Add(Order0());
  codecs.Add(SlowCount());
  return codecs;
}

std::string Utf16(absl::string_view text) {
  std::string utf16 = "\xff\xfe";
  for (char c : text) utf16 += {c, '\0'};
  return utf16;
}

// A frame whose header does not know the length.
std::string Streamed(const std::string& raw, std::shared_ptr<const BlockCoder> coder, FrameEncoderOptions options) {
  std::string frame;
  const auto sink = [&frame](absl::string_view bytes) {
    frame.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  };
  const auto encoder = *FrameEncoder::Create(options, std::move(coder), sink, {});
  CLM_CHECK(encoder->Append(raw).ok() && encoder->Finish().ok());
  return frame;
}

struct Accepted {
  std::string name;
  std::string raw;
  std::function<std::string(const std::string&)> encode;
};

std::vector<Accepted> AcceptedFrames() {
  const auto with = [](std::shared_ptr<const BlockCoder> coder, uint32_t block_bytes) {
    return
        [coder, block_bytes](const std::string& raw) { return *EncodeFrame(raw, coder, {.block_bytes = block_bytes}); };
  };
  const auto streamed = [](std::shared_ptr<const BlockCoder> coder) {
    return [coder](const std::string& raw) { return Streamed(raw, coder, {.block_bytes = 4096}); };
  };
  const uint32_t large = kDefaultBlockBytes;
  return {
      {"empty_stored", "", with(Stored(), large)},
      {"empty_count", "", with(Count(), large)},
      {"one_byte", "x", with(Count(), large)},
      {"stored_noise", Noise(1, 1500), with(Stored(), large)},
      {"stored_blocks", Words(2, 9000), with(Stored(), 4096)},
      {"count_text", Words(3, 6000), with(Count(), large)},
      {"count_zeros", std::string(20000, '\0'), with(Count(), large)},
      {"count_all_bytes", AllBytes(6), with(Count(), large)},
      {"count_utf16", Utf16(Words(4, 1000)), with(Count(), large)},
      {"count_blocks", Words(5, 3 * 4096 + 77), with(Count(), 4096)},
      {"count_mixed_with_stored", Words(6, 4096) + Noise(7, 4096) + Words(8, 900), with(Count(), 4096)},
      {"count_streamed", Words(9, 2 * 4096), streamed(Count())},
      {"adaptive_text", Words(13, 6000), with(Adaptive(), large)},
      {"adaptive_zeros", std::string(20000, '\0'), with(Adaptive(), large)},
      {"adaptive_all_bytes", AllBytes(6), with(Adaptive(), large)},
      {"adaptive_utf16", Utf16(Words(14, 1000)), with(Adaptive(), large)},
      {"adaptive_mixed_with_stored", Words(15, 4096) + Noise(16, 4096) + Words(17, 900), with(Adaptive(), 4096)},
      {"adaptive_streamed", Words(18, 2 * 4096), streamed(Adaptive())},
      {"probability_text", Words(10, 5000), with(Order0(), large)},
      {"probability_blocks_streamed", Words(11, 5000), streamed(Order0())},
      {"probability_count_model", Words(12, 500), with(SlowCount(), large)},
      {"rank_ans_text", Words(19, 5000) + "ababab", with(WithModel(CodecId::kRankAns), large)},
      {"rank_adaptive_text", Words(20, 5000) + "ababab", with(WithModel(CodecId::kRankAdaptive), large)},
      {"mixed_text", Words(21, 5000) + "ababab", with(WithModel(CodecId::kMixed), large)},
      {"mixed_streamed", Words(22, 2 * 4096), streamed(WithModel(CodecId::kMixed))},
  };
}

struct Refused {
  std::string name;
  absl::StatusCode code;
  std::string words;  // in the message
  std::function<void(std::string& frame)> damage;
};

// Exchanges blocks 0 and 1.
void SwapBlocks(std::string& frame) {
  const std::vector<size_t> begins = BlockBegins(frame);
  const std::string first = frame.substr(begins[0], begins[1] - begins[0]);
  const std::string second = frame.substr(begins[1], begins[2] - begins[1]);
  frame.replace(begins[0], first.size() + second.size(), second + first);
}

void DoubleBlock(std::string& frame) {
  const std::vector<size_t> begins = BlockBegins(frame);
  frame.insert(begins[1], frame.substr(begins[0], begins[1] - begins[0]));
}

std::function<void(std::string&)> SetHeader32(size_t at, uint32_t value) {
  return [at, value](std::string& frame) {
    SetU32(frame, at, value);
    FixHeaderChecksum(frame);
  };
}

std::function<void(std::string&)> SetHeader8(size_t at, char value) {
  return [at, value](std::string& frame) {
    frame[at] = value;
    FixHeaderChecksum(frame);
  };
}

// All are damaged from one frame of three count blocks.
std::vector<Refused> RefusedFrames() {
  using Code = absl::StatusCode;
  return {
      {"wrong_magic", Code::kDataLoss, "not a frame", [](std::string& f) { f[0] = 'X'; }},
      {"byte_swapped_magic", Code::kDataLoss, "byte-swapped", [](std::string& f) { f.replace(0, 4, "FMLC"); }},
      {"future_version", Code::kUnimplemented, "frame version 2", SetHeader8(4, 2)},
      {"unknown_codec", Code::kUnimplemented, "codec id 200", SetHeader8(5, '\xc8')},
      {"unknown_flag", Code::kUnimplemented, "flags 0x80", SetHeader8(6, '\x80')},
      {"header_checksum", Code::kDataLoss, "frame header: checksum", [](std::string& f) { f[30] = 'X'; }},
      {"block_size_0", Code::kDataLoss, "block size 0", SetHeader32(20, 0)},
      {"block_size_4_gib", Code::kDataLoss, "block size 4294967295", SetHeader32(20, 0xffffffff)},
      {"block_count_bomb", Code::kDataLoss, "the header says 4294967295", SetHeader32(24, 0xffffffff)},
      {"original_length_bomb", Code::kDataLoss, "9223372036854775808 bytes",
       [](std::string& f) {
         SetU64(f, 12, uint64_t{1} << 63);
         FixHeaderChecksum(f);
       }},
      {"other_predictor", Code::kFailedPrecondition, "was made with predictor", SetHeader8(28, 'X')},
      {"other_canary", Code::kFailedPrecondition, "canary", SetHeader8(60, 'X')},
      {"payload_bit", Code::kDataLoss, "frame block 0 at byte 84: checksum mismatch of the coded",
       [](std::string& f) { f[200] = static_cast<char>(f[200] ^ 1); }},
      {"raw_checksum", Code::kDataLoss, "frame block 0 at byte 84: checksum mismatch of the decoded",
       [](std::string& f) { SetU32(f, BlockBegins(f)[1] - 4, 7); }},
      {"payload_that_does_not_end", Code::kDataLoss, "frame block 0 at byte 84: the coded data",
       [](std::string& f) {
         f[200] = static_cast<char>(f[200] ^ 1);
         FixBlockChecksum(f, kFrameHeaderBytes, BlockBegins(f)[1] - kFrameHeaderBytes);
       }},
      {"raw_length_bomb", Code::kDataLoss, "raw length 4294967295", [](std::string& f) { SetU32(f, 88, 0xffffffff); }},
      {"coded_length_bomb", Code::kDataLoss, "coded length 4294967295",
       [](std::string& f) { SetU32(f, 92, 0xffffffff); }},
      {"swapped_blocks", Code::kDataLoss, "block 1 stands in its place", SwapBlocks},
      {"repeated_block", Code::kDataLoss, "block 0 comes again", DoubleBlock},
      {"truncated_block", Code::kDataLoss, "frame block 2 at byte",
       [](std::string& f) { f.resize(BlockBegins(f)[2] + 30); }},
      {"truncated_footer", Code::kDataLoss, "frame footer at byte", [](std::string& f) { f.pop_back(); }},
      {"footer_checksum", Code::kDataLoss, "frame footer: checksum",
       [](std::string& f) { f[f.size() - 12] = static_cast<char>(f[f.size() - 12] ^ 1); }},
      {"other_sha256", Code::kDataLoss, "SHA-256",
       [](std::string& f) {
         f[f.size() - 12] = static_cast<char>(f[f.size() - 12] ^ 1);
         FixFooterChecksum(f, 3);
       }},
      {"trailing_byte", Code::kDataLoss, "more bytes follow", [](std::string& f) { f.push_back('\0'); }},
      {"two_frames", Code::kDataLoss, "a second frame follows", [](std::string& f) { f += std::string(f); }},
  };
}

std::string Path(absl::string_view folder, const std::string& file) {
  return JoinPath(JoinPath(CLM_GOLDEN_FRAME_DIR, folder), file);
}

std::string Read(const std::string& path) {
  const absl::StatusOr<std::string> data = ReadFile(PosixFileSystem(), path, kMaxGoldenBytes);
  EXPECT_OK(data.status());
  return data.value_or("");
}

void WriteIfMissing(const std::string& path, absl::string_view data) {
  if (std::getenv("CLM_WRITE_GOLDEN") == nullptr || PosixFileSystem().Exists(path)) return;
  ASSERT_OK(WriteFileAtomically(PosixFileSystem(), path, data));
}

TEST(GoldenFrameTest, AcceptedFramesDecodeAndAreStillWrittenTheSameWay) {
  for (const Accepted& golden : AcceptedFrames()) {
    SCOPED_TRACE(golden.name);
    const std::string now = golden.encode(golden.raw);
    WriteIfMissing(Path("accepted", golden.name + ".clmf"), now);
    WriteIfMissing(Path("accepted", golden.name + ".raw"), golden.raw);
    const std::string frame = Read(Path("accepted", golden.name + ".clmf"));
    const std::string raw = Read(Path("accepted", golden.name + ".raw"));
    const absl::StatusOr<std::string> decoded = DecodeFrame(frame, Codecs());
    ASSERT_OK(decoded);
    EXPECT_TRUE(*decoded == raw);
    EXPECT_TRUE((raw == golden.raw ? now : golden.encode(raw)) == frame);
  }
}

TEST(GoldenFrameTest, RefusedFramesAreRefusedForTheirReason) {
  const std::string intact = *EncodeFrame(Words(20, 2 * 4096 + 500), Count(), {.block_bytes = 4096});
  for (const Refused& golden : RefusedFrames()) {
    SCOPED_TRACE(golden.name);
    const std::string path = Path("refused", golden.name + ".clmf");
    std::string damaged = intact;
    golden.damage(damaged);
    WriteIfMissing(path, damaged);
    EXPECT_THAT(DecodeFrame(Read(path), Codecs()), StatusIs(golden.code, HasSubstr(golden.words)));
  }
}

}  // namespace
}  // namespace clm
