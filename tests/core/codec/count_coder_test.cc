#include "core/codec/count_coder.h"

#include <string>

#include "core/codec/probability_coder.h"
#include "core/predict/count_predictor.h"
#include "tests/core/codec/codec_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::AllBytes;
using ::clm::testing::CoderOf;
using ::clm::testing::Noise;
using ::clm::testing::StatusIs;
using ::clm::testing::Words;
using ::testing::HasSubstr;

TEST(CountCoderTest, RoundTripsWhateverItIsGiven) {
  const CountCoder coder;
  for (const std::string& raw : {std::string(), std::string("a"), Words(1, 5000), Noise(2, 3000), AllBytes(3),
                                 std::string(20000, '\0'), std::string("\xff\xfe") + std::string(999, '\x80')}) {
    ASSERT_OK_AND_ASSIGN(const std::string payload, coder.Encode(raw, {}));
    EXPECT_EQ(*coder.Decode(payload, raw.size(), {}), raw) << raw.size();
  }
}

TEST(CountCoderTest, IsTheProbabilityCoderOfItsModel) {
  const std::string raw = Words(3, 700) + Noise(4, 100);
  ASSERT_OK_AND_ASSIGN(auto predictor, CountPredictor::Create(CountModelOptions::ForLength(raw.size(), 20), 1));
  const auto slow = CoderOf(std::move(predictor));
  EXPECT_EQ(*CountCoder().Encode(raw, {}), *slow->Encode(raw, {}));
}

TEST(CountCoderTest, DamageIsNoticedWithoutAnyChecksum) {
  const CountCoder coder;
  const std::string raw = Words(5, 400);
  ASSERT_OK_AND_ASSIGN(const std::string payload, coder.Encode(raw, {}));
  for (size_t i = 0; i < payload.size(); i += 9) {
    std::string damaged = payload;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    EXPECT_THAT(coder.Decode(damaged, raw.size(), {}), StatusIs(absl::StatusCode::kDataLoss)) << i;
  }
  EXPECT_THAT(coder.Decode(payload, raw.size() + 1000, {}), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(coder.Decode(payload, raw.size() - 1, {}), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(coder.Decode("1234567", 1, {}), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no valid state")));
}

TEST(CountCoderTest, StopsWhenCancelled) {
  CancellationSource source;
  source.Cancel();
  EXPECT_THAT(CountCoder().Encode("abc", source.token()), StatusIs(absl::StatusCode::kCancelled));
  const std::string payload = *CountCoder().Encode("abc", {});
  EXPECT_THAT(CountCoder().Decode(payload, 3, source.token()), StatusIs(absl::StatusCode::kCancelled));
}

TEST(CountCoderTest, ParametersNeverChangeWithinACodecId) {
  const CodecParameters parameters = CountCoder().parameters();
  EXPECT_EQ(parameters.precision_bits, 20);
  // Frames carry these two; other numbers mean another codec id.
  EXPECT_EQ(ToHex(parameters.predictor), "d1ee9d178a201c2c2a5a611d7bfbe366");
  EXPECT_EQ(ToHex(parameters.canary), "a3946b38bd558c9f");
}

}  // namespace
}  // namespace clm
