#include "core/codec/frame_encoder.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/status_macros.h"
#include "core/codec/codec_set.h"
#include "core/codec/count_coder.h"
#include "core/codec/frame_decoder.h"
#include "core/codec/probability_coder.h"
#include "core/codec/stored_block.h"
#include "tests/core/codec/codec_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::AllBytes;
using ::clm::testing::CoderOf;
using ::clm::testing::FaultyPredictor;
using ::clm::testing::Noise;
using ::clm::testing::Order0Predictor;
using ::clm::testing::StatusIs;
using ::clm::testing::Words;
using ::testing::HasSubstr;

struct Encoded {
  std::string frame;
  FrameSummary summary;
};

// Encodes `data` in pieces of `piece` bytes.
absl::StatusOr<Encoded> Encode(absl::string_view data, size_t piece, std::shared_ptr<const BlockCoder> coder,
                               const FrameEncoderOptions& options, const CodecContext& context = {}) {
  Encoded encoded;
  const auto sink = [&encoded](absl::string_view bytes) {
    encoded.frame.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  };
  CLM_ASSIGN_OR_RETURN(const auto encoder, FrameEncoder::Create(options, std::move(coder), sink, context));
  for (size_t i = 0; i < data.size(); i += piece) CLM_RETURN_IF_ERROR(encoder->Append(data.substr(i, piece)));
  CLM_ASSIGN_OR_RETURN(encoded.summary, encoder->Finish());
  return encoded;
}

std::shared_ptr<const BlockCoder> Count() {
  static const auto* const kCoder = new std::shared_ptr<const BlockCoder>(std::make_shared<CountCoder>());
  return *kCoder;
}

// Cheap to run many times.
std::shared_ptr<const BlockCoder> Order0() { return CoderOf(std::make_unique<Order0Predictor>()); }

CodecSet Codecs() {
  CodecSet codecs = CodecSet::BuiltIn();
  codecs.Add(Order0());
  return codecs;
}

TEST(FrameEncoderTest, AdversarialInputsRoundTripAndHardlyExpand) {
  std::string utf16;
  for (char c : Words(1, 3000)) utf16 += {c, '\0'};
  const std::string gzip_like = std::string("\x1f\x8b\x08\0\0\0\0\0\x02\x03", 10) + Noise(2, 9000);
  for (const std::string& data : {Noise(3, 33000), std::string(20000, '\0'), AllBytes(50), std::string(10000, 'x'),
                                  utf16, gzip_like, std::string("a"), std::string()}) {
    ASSERT_OK_AND_ASSIGN(const std::string frame, EncodeFrame(data, Count()));
    EXPECT_EQ(*DecodeFrame(frame, CodecSet::BuiltIn()), data) << data.size();
    EXPECT_LE(frame.size(), data.size() + data.size() / 1000 + 169) << data.size();
  }
}

TEST(FrameEncoderTest, ExpansionIsATenthOfAPercentEvenOfTheSmallestBlocks) {
  const std::string noise = Noise(4, 300000);
  for (uint32_t block_bytes : {32768U, 65536U, 1048576U}) {
    ASSERT_OK_AND_ASSIGN(const std::string frame,
                         EncodeFrame(noise, std::make_shared<StoredBlock>(), {.block_bytes = block_bytes}));
    EXPECT_LE(frame.size(), noise.size() + noise.size() / 1000 + kFrameHeaderBytes + FooterBytes(0)) << block_bytes;
  }
}

TEST(FrameEncoderTest, ZerosAreNextToNothing) {
  const std::string zeros(1 << 17, '\0');
  ASSERT_OK_AND_ASSIGN(const std::string frame, EncodeFrame(zeros, Count(), {.verify = VerifyMode::kNone}));
  EXPECT_LE(frame.size(), zeros.size() / 500);
}

TEST(FrameEncoderTest, EmptyInputIsSmallAndComesBack) {
  ASSERT_OK_AND_ASSIGN(const std::string frame, EncodeFrame("", Count()));
  EXPECT_LE(frame.size(), 160u);
  EXPECT_EQ(*DecodeFrame(frame, CodecSet::BuiltIn()), "");
}

TEST(FrameEncoderTest, TheFrameDependsOnNeitherThreadsNorCuts) {
  const std::string data = Words(5, 7 * 4096) + Noise(6, 5000) + Words(7, 7329);
  const FrameEncoderOptions options = {.block_bytes = 4096, .verify = VerifyMode::kSampled};
  ASSERT_OK_AND_ASSIGN(const Encoded want, Encode(data, data.size(), Order0(), options));
  EXPECT_EQ(want.summary.blocks, 11u);
  EXPECT_GE(want.summary.stored_blocks, 1u);
  EXPECT_EQ(want.summary.verified_blocks, 3u);  // blocks 0, 8 and 10
  for (const auto& [threads, piece] : std::vector<std::pair<size_t, size_t>>{{1, 1000}, {8, 4096}, {16, 50000}}) {
    ThreadPool pool(threads);
    ASSERT_OK_AND_ASSIGN(const Encoded got, Encode(data, piece, Order0(), options, {.pool = &pool}));
    EXPECT_EQ(got.frame, want.frame) << threads << " threads, pieces of " << piece;
    EXPECT_EQ(got.summary.verified_blocks, want.summary.verified_blocks);
  }
  EXPECT_EQ(*DecodeFrame(want.frame, Codecs()), data);
}

TEST(FrameEncoderTest, CountFramesAreTheSameAtEveryThreadCount) {
  const std::string data = Words(8, 20000);
  ASSERT_OK_AND_ASSIGN(const std::string want, EncodeFrame(data, Count(), {.block_bytes = 4096}));
  ThreadPool pool(3);
  EXPECT_EQ(*EncodeFrame(data, Count(), {.block_bytes = 4096}, {.pool = &pool}), want);
  EXPECT_EQ(*DecodeFrame(want, CodecSet::BuiltIn(), {}, {.pool = &pool}), data);
}

TEST(FrameEncoderTest, SummaryIsTheFrames) {
  const std::string data = Words(9, 10000);
  ASSERT_OK_AND_ASSIGN(const Encoded encoded, Encode(data, 777, Order0(), {.block_bytes = 4096}));
  EXPECT_EQ(encoded.summary.original_bytes, data.size());
  EXPECT_EQ(encoded.summary.frame_bytes, encoded.frame.size());
  EXPECT_EQ(encoded.summary.blocks, 3u);
  EXPECT_EQ(encoded.summary.verified_blocks, 3u);
  EXPECT_EQ(encoded.summary.verify_failures, 0u);
  EXPECT_EQ(ToHex(encoded.summary.sha256), Sha256Hex(data));
}

TEST(FrameEncoderTest, AFaultDuringEncodingIsCaughtStoredAndCounted) {
  const std::string data = Words(10, 3 * 4096);
  // The canary takes 256 tables; the fault comes in the second block.
  const auto faulty = CoderOf(std::make_unique<FaultyPredictor>(256 + 2 * 4096 + 50));
  ASSERT_EQ(faulty->parameters(), Order0()->parameters());
  ASSERT_OK_AND_ASSIGN(const Encoded encoded, Encode(data, data.size(), faulty, {.block_bytes = 4096}));
  EXPECT_EQ(encoded.summary.verify_failures, 1u);
  EXPECT_EQ(encoded.summary.stored_blocks, 1u);
  EXPECT_EQ(*DecodeFrame(encoded.frame, Codecs()), data);
}

TEST(FrameEncoderTest, WithoutVerificationTheDecoderNoticesTheFault) {
  const std::string data = Words(10, 3 * 4096);
  const auto faulty = CoderOf(std::make_unique<FaultyPredictor>(256 + 4096 + 50));
  const FrameEncoderOptions options = {.block_bytes = 4096, .verify = VerifyMode::kNone};
  ASSERT_OK_AND_ASSIGN(const Encoded encoded, Encode(data, data.size(), faulty, options));
  EXPECT_EQ(encoded.summary.verified_blocks, 0u);
  EXPECT_THAT(DecodeFrame(encoded.frame, Codecs()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("frame block 1 at")));
}

TEST(FrameEncoderTest, DeclaredLengthMustBeKept) {
  FrameEncoderOptions options = {.block_bytes = 4096};
  options.original_bytes = 10;
  EXPECT_THAT(Encode("12345678901", 100, Order0(), options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more data than original_bytes = 10")));
  EXPECT_THAT(Encode("123456789", 100, Order0(), options),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("end after 9 bytes, original_bytes is 10")));
  EXPECT_OK(Encode("1234567890", 3, Order0(), options));
}

TEST(FrameEncoderTest, OptionsOutOfRangeAreRefused) {
  EXPECT_THAT(EncodeFrame("x", Order0(), {.block_bytes = 4095}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("block_bytes is 4095")));
  EXPECT_THAT(EncodeFrame("x", Order0(), {.block_bytes = (16 << 20) + 1}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  FrameEncoderOptions options = {.block_bytes = 4096};
  options.original_bytes = uint64_t{1} << 60;
  EXPECT_THAT(options.Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("original_bytes")));
}

TEST(FrameEncoderTest, CancellationAndSinkErrorsStopItForGood) {
  CancellationSource source;
  ASSERT_OK_AND_ASSIGN(const auto encoder, FrameEncoder::Create({.block_bytes = 4096}, Order0(),
                                                                [](absl::string_view) { return absl::OkStatus(); },
                                                                {.cancel = source.token()}));
  EXPECT_OK(encoder->Append(Words(11, 9000)));
  source.Cancel();
  EXPECT_THAT(encoder->Append(Words(11, 9000)), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(encoder->Finish(), StatusIs(absl::StatusCode::kCancelled));

  int writes = 0;
  const auto full_disk = [&writes](absl::string_view) {
    return ++writes > 2 ? absl::ResourceExhaustedError("no space") : absl::OkStatus();
  };
  ASSERT_OK_AND_ASSIGN(const auto second, FrameEncoder::Create({.block_bytes = 4096}, Order0(), full_disk, {}));
  EXPECT_THAT(second->Append(Words(12, 20000)), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("no space")));
  EXPECT_THAT(second->Finish(), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(FrameEncoderTest, ProgressNeverGoesBackAndEndsAtTheEnd) {
  std::vector<uint64_t> done;
  CodecContext context;
  context.progress = [&done](const Progress& progress) {
    EXPECT_EQ(progress.phase, "compress");
    EXPECT_EQ(progress.total_units, 10000u);
    done.push_back(progress.done_units);
  };
  ASSERT_OK(EncodeFrame(Words(13, 10000), Order0(), {.block_bytes = 4096}, context));
  EXPECT_EQ(done, (std::vector<uint64_t>{4096, 8192, 10000}));
}

}  // namespace
}  // namespace clm
