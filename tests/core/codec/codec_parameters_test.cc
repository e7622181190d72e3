#include "core/codec/codec_parameters.h"

#include "gtest/gtest.h"

namespace clm {
namespace {

TEST(CodecParametersTest, FingerprintsAreTheFirstSixteenBytes) {
  const ShortFingerprint fingerprint =
      ShortFingerprintOf("000102030405060708090a0b0c0d0e0ff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  EXPECT_EQ(fingerprint[15], 15);
  EXPECT_EQ(ToHex(fingerprint), "000102030405060708090a0b0c0d0e0f");
}

TEST(CodecParametersTest, CodecsHaveNames) {
  EXPECT_EQ(CodecName(CodecId::kStored), "stored");
  EXPECT_EQ(CodecName(CodecId::kCount), "count");
  EXPECT_EQ(CodecName(CodecId::kProbability), "probability");
  EXPECT_EQ(CodecName(CodecId::kAdaptive), "adaptive");
  EXPECT_EQ(CodecName(CodecId::kRankAns), "rank ans");
  EXPECT_EQ(CodecName(CodecId::kRankAdaptive), "rank adaptive");
  EXPECT_EQ(CodecName(CodecId::kMixed), "mixed");
  EXPECT_EQ(CodecName(static_cast<CodecId>(7)), "codec 7");
  EXPECT_TRUE(IsKnownCodec(6));
  EXPECT_FALSE(IsKnownCodec(7));
}

}  // namespace
}  // namespace clm
