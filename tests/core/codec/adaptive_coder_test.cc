#include "core/codec/adaptive_coder.h"

#include <cmath>
#include <memory>
#include <string>

#include "core/base/digest.h"
#include "core/codec/codec_set.h"
#include "core/codec/count_coder.h"
#include "core/codec/frame_decoder.h"
#include "core/codec/frame_encoder.h"
#include "core/predict/adaptive_model.h"
#include "tests/core/codec/codec_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::AllBytes;
using ::clm::testing::Noise;
using ::clm::testing::StatusIs;
using ::clm::testing::Words;
using ::testing::HasSubstr;

// The coder is made once: its fingerprint goes over every size of its tables.
const AdaptiveCoder& Coder() {
  static const auto* const kCoder = new AdaptiveCoder;
  return *kCoder;
}

std::string Utf16(absl::string_view text) {
  std::string utf16 = "\xff\xfe";
  for (char c : text) utf16 += {c, '\0'};
  return utf16;
}

TEST(AdaptiveCoderTest, RoundTripsWhateverItIsGiven) {
  for (const std::string& raw :
       {std::string(), std::string("a"), std::string(1, '\0'), Words(1, 5000), Noise(2, 65536), AllBytes(9),
        std::string(20000, '\0'), Utf16(Words(3, 2000)), std::string("\xff\xfe") + std::string(999, '\x80'),
        std::string(70000, 'l') + "\n" + Words(4, 100), std::string(300, '\n')}) {
    ASSERT_OK_AND_ASSIGN(const std::string payload, Coder().Encode(raw, {}));
    ASSERT_OK_AND_ASSIGN(const std::string decoded, Coder().Decode(payload, raw.size(), {}));
    EXPECT_TRUE(decoded == raw) << raw.size();
  }
}

TEST(AdaptiveCoderTest, PayloadIsTheInformationContent) {
  const std::string raw = Words(5, 8000) + Noise(6, 500);
  AdaptiveModel model(AdaptiveModelOptions::ForLength(raw.size()));
  double bits = 0;
  for (char byte : raw) {
    for (int shift = 7; shift >= 0; --shift) {
      const int bit = (static_cast<uint8_t>(byte) >> shift) & 1;
      bits -= std::log2((bit != 0 ? model.probability() : 65536.0 - model.probability()) / 65536.0);
      model.Update(bit);
    }
  }
  const auto payload_bits = static_cast<double>(Coder().Encode(raw, {})->size()) * 8;
  EXPECT_GE(payload_bits, bits - 8);
  EXPECT_LE(payload_bits, bits + 16);
}

TEST(AdaptiveCoderTest, IsSmallerThanCount) {
  const std::string raw = Words(7, 20000);
  EXPECT_LT(Coder().Encode(raw, {})->size(), CountCoder().Encode(raw, {})->size());
}

TEST(AdaptiveCoderTest, OtherPayloadsAreRefusedOrGiveOtherBytes) {
  // The code is dense: a part of a payload may well be the payload of something else. Which it is, the checksums of the
  // block tell; here, that it is never the original.
  const std::string raw = Words(8, 400);
  const std::string payload = *Coder().Encode(raw, {});
  for (size_t length = 0; length < payload.size(); ++length) {
    const auto decoded = Coder().Decode(absl::string_view(payload).substr(0, length), raw.size(), {});
    ASSERT_TRUE(decoded.ok() ? *decoded != raw : absl::IsDataLoss(decoded.status())) << decoded.status();
  }
  EXPECT_THAT(Coder().Decode(payload + '\0', raw.size(), {}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("do not end")));
  EXPECT_THAT(Coder().Decode(payload, 20, {}), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("do not end")));
}

TEST(AdaptiveCoderTest, FlippedBitsNeverGiveOtherBytesAsTheOriginal) {
  // Any payload decodes to something; the frame's checksums tell it from the original.
  const std::string raw = Words(9, 600);
  const std::string frame = *EncodeFrame(raw, std::make_shared<AdaptiveCoder>());
  const CodecSet codecs = CodecSet::BuiltIn();
  ASSERT_EQ(*DecodeFrame(frame, codecs), raw);
  for (size_t i = kFrameHeaderBytes; i < frame.size(); i += 3) {
    std::string damaged = frame;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 8));
    ASSERT_THAT(DecodeFrame(damaged, codecs), StatusIs(absl::StatusCode::kDataLoss)) << i;
  }
}

TEST(AdaptiveCoderTest, StopsWhenCancelled) {
  CancellationSource source;
  source.Cancel();
  EXPECT_THAT(Coder().Encode("abc", source.token()), StatusIs(absl::StatusCode::kCancelled));
  const std::string payload = *Coder().Encode("abc", {});
  EXPECT_THAT(Coder().Decode(payload, 3, source.token()), StatusIs(absl::StatusCode::kCancelled));
}

TEST(AdaptiveCoderTest, ParametersNeverChangeWithinACodecId) {
  const CodecParameters parameters = Coder().parameters();
  EXPECT_EQ(parameters.codec, CodecId::kAdaptive);
  EXPECT_EQ(parameters.precision_bits, 16);
  // Frames carry these two; other numbers mean another codec id.
  EXPECT_EQ(ToHex(parameters.predictor), "f4f24fe259a59b327f0b107dac3a6dc3");
  EXPECT_EQ(ToHex(parameters.canary), "70957158217dcdb9");
}

}  // namespace
}  // namespace clm
