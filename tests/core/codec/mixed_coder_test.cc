#include "core/codec/mixed_coder.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/base/digest.h"
#include "core/codec/adaptive_coder.h"
#include "core/codec/probability_coder.h"
#include "tests/core/codec/codec_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::AllBytes;
using ::clm::testing::Noise;
using ::clm::testing::Order0Predictor;
using ::clm::testing::PairRepresentation;
using ::clm::testing::StatusIs;
using ::clm::testing::Words;

std::shared_ptr<const CodingModel> Bytes() { return *CodingModel::OfBytes(std::make_unique<Order0Predictor>()); }

TEST(MixedCoderTest, RoundTripsWhateverItIsGiven) {
  const MixedCoder coder(Bytes());
  for (const std::string& raw :
       {std::string(), std::string("x"), Words(1, 3000), AllBytes(2), Noise(3, 1000), std::string(2000, '\0')}) {
    ASSERT_OK_AND_ASSIGN(const std::string payload, coder.Encode(raw, {}));
    EXPECT_EQ(*coder.Decode(payload, raw.size(), {}), raw);
  }
}

TEST(MixedCoderTest, SymbolsOfSeveralBytesRoundTrip) {
  ASSERT_OK_AND_ASSIGN(const auto model, CodingModel::Create(std::make_unique<Order0Predictor>(),
                                                             std::make_shared<PairRepresentation>()));
  const MixedCoder coder(model);
  std::string raw = "abababa";
  for (int i = 0; i < 300; ++i) raw += i % 7 == 0 ? "aab" : "cabb";
  ASSERT_OK_AND_ASSIGN(const std::string payload, coder.Encode(raw, {}));
  EXPECT_EQ(*coder.Decode(payload, raw.size(), {}), raw);
  EXPECT_LT(payload.size(), 60U);
}

TEST(MixedCoderTest, IsSmallerThanItsModelAndNoLargerThanTheAdaptiveCoder) {
  const std::string raw = Words(5, 30'000);
  ASSERT_OK_AND_ASSIGN(const std::string mixed, MixedCoder(Bytes()).Encode(raw, {}));
  ASSERT_OK_AND_ASSIGN(const std::string model, ProbabilityCoder(Bytes()).Encode(raw, {}));
  ASSERT_OK_AND_ASSIGN(const std::string adaptive, AdaptiveCoder().Encode(raw, {}));
  EXPECT_LT(mixed.size(), model.size());
  EXPECT_LE(mixed.size(), adaptive.size() + 1);
}

TEST(MixedCoderTest, AnotherModelIsAnotherPredictor) {
  const CodecParameters parameters = MixedCoder(Bytes()).parameters();
  EXPECT_EQ(parameters.codec, CodecId::kMixed);
  EXPECT_NE(parameters.predictor, Bytes()->parameters().predictor);
  const auto other = *CodingModel::OfBytes(std::make_unique<Order0Predictor>('1'));
  EXPECT_NE(parameters.predictor, MixedCoder(other).parameters().predictor);
}

TEST(MixedCoderTest, DamageNeverGivesWrongBytesSilently) {
  const MixedCoder coder(Bytes());
  const std::string raw = Words(6, 300);
  ASSERT_OK_AND_ASSIGN(const std::string payload, coder.Encode(raw, {}));
  for (size_t i = 0; i < payload.size(); ++i) {
    std::string damaged = payload;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    const absl::StatusOr<std::string> decoded = coder.Decode(damaged, raw.size(), {});
    if (decoded.ok()) {
      EXPECT_NE(*decoded, raw) << i;  // for the block's checksum to find
    } else {
      EXPECT_THAT(decoded, StatusIs(absl::StatusCode::kDataLoss)) << i;
    }
  }
  EXPECT_THAT(coder.Decode("", raw.size(), {}), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(coder.Decode("\x02x", raw.size(), {}), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(MixedCoderTest, StopsWhenCancelled) {
  const MixedCoder coder(Bytes());
  CancellationSource source;
  source.Cancel();
  EXPECT_THAT(coder.Encode("abc", source.token()), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(coder.Decode(std::string("\0abc", 4), 3, source.token()), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace clm
