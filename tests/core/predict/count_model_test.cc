#include "core/predict/count_model.h"

#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "tests/testing/generated_text.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::Noise;
using ::clm::testing::StatusIs;
using ::clm::testing::Words;
using ::testing::HasSubstr;

CountModelOptions Small(int precision_bits = 20) {
  return {.precision_bits = precision_bits, .contexts_log2 = 10, .history_log2 = 12};
}

double BitsOf(CountModel& model, const std::string& data) {
  double bits = 0;
  for (char byte : data) {
    bits += model.precision_bits() - std::log2(model.EncodeStep(static_cast<uint8_t>(byte)).frequency);
  }
  return bits;
}

TEST(CountModelTest, StepsAgreeWithFrequenciesOfAllSymbols) {
  for (int precision_bits : {16, 20, 24}) {
    CountModel model(Small(precision_bits));
    std::vector<uint32_t> frequencies(256);
    // More contexts than there are slots, so that slots are taken over.
    const std::string data = Words(1, 500) + Noise(2, 400) + Words(1, 500) + std::string(100, 'x') + Words(3, 500);
    for (size_t i = 0; i < data.size(); ++i) {
      model.Frequencies(frequencies);
      const auto symbol = static_cast<uint8_t>(data[i]);
      const uint32_t start = std::accumulate(frequencies.begin(), frequencies.begin() + symbol, 0U);
      const SymbolInterval want = {.start = start, .frequency = frequencies[symbol]};
      ASSERT_EQ(model.EncodeStep(symbol), want) << "precision " << precision_bits << " position " << i;
    }
  }
}

TEST(CountModelTest, FrequenciesAreCodableAndSumToTheTotal) {
  CountModel model(Small(16));
  std::vector<uint32_t> frequencies(256);
  const std::string data = std::string(200, '\0') + Noise(4, 200) + Words(5, 200);
  for (char byte : data) {
    model.Frequencies(frequencies);
    ASSERT_OK(CheckFrequencies(frequencies, 16));
    model.EncodeStep(static_cast<uint8_t>(byte));
  }
}

TEST(CountModelTest, DecodeStepFindsTheSymbolFromAnySlotOfItsInterval) {
  CountModel encoder(Small());
  CountModel decoder(Small());
  const std::string data = Words(6, 3000) + Noise(7, 500);
  CounterRng rng(8, "slot", 0);
  for (size_t i = 0; i < data.size(); ++i) {
    const auto symbol = static_cast<uint8_t>(data[i]);
    const SymbolInterval want = encoder.EncodeStep(symbol);
    SymbolInterval got;
    const auto slot = static_cast<uint32_t>(want.start + rng.NextBelow(want.frequency));
    ASSERT_EQ(decoder.DecodeStep(slot, got), symbol) << "position " << i;
    ASSERT_EQ(got, want);
  }
}

TEST(CountModelTest, ResetAndCopyGiveTheSameNumbers) {
  const std::string first = Words(9, 2000);
  const std::string second = Words(10, 2000);
  CountModel model(Small());
  const double want = BitsOf(model, second);
  model.Reset();
  BitsOf(model, first);
  CountModel copy = model;
  EXPECT_EQ(BitsOf(copy, second), BitsOf(model, second));
  model.Reset();
  EXPECT_EQ(BitsOf(model, second), want);
}

TEST(CountModelTest, LearnsTextAndHardlyExpandsNoise) {
  const std::string text = Words(11, 20000);
  CountModel model(CountModelOptions::ForLength(text.size(), 20));
  EXPECT_LT(BitsOf(model, text), 2.0 * static_cast<double>(text.size()));
  const std::string noise = Noise(12, 20000);
  model.Reset();
  EXPECT_LT(BitsOf(model, noise), 8.4 * static_cast<double>(noise.size()));
}

TEST(CountModelTest, ZerosCostNextToNothing) {
  const std::string zeros(65536, '\0');
  CountModel model(CountModelOptions::ForLength(zeros.size(), 20));
  EXPECT_LT(BitsOf(model, zeros) / 8, 0.002 * static_cast<double>(zeros.size()));
}

TEST(CountModelTest, ALongRepeatIsFound) {
  const std::string noise = Noise(13, 2000);
  CountModel model(CountModelOptions::ForLength(4000, 20));
  BitsOf(model, noise);
  EXPECT_LT(BitsOf(model, noise), 0.5 * static_cast<double>(noise.size()));
}

TEST(CountModelTest, FingerprintNamesTheOptions) {
  EXPECT_EQ(CountModel(Small()).fingerprint(), CountModel(Small()).fingerprint());
  EXPECT_NE(CountModel(Small()).fingerprint(), CountModel(Small(24)).fingerprint());
  EXPECT_EQ(CountModel(Small()).fingerprint().size(), 64u);
}

TEST(CountModelOptionsTest, NamesFieldValueAndRange) {
  EXPECT_THAT((CountModelOptions{.precision_bits = 25}).Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("precision_bits is 25, must be in [16, 24]")));
  EXPECT_THAT((CountModelOptions{.contexts_log2 = 21}).Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("contexts_log2 is 21")));
  EXPECT_THAT((CountModelOptions{.history_log2 = 11}).Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("history_log2 is 11")));
}

TEST(CountModelOptionsTest, EveryLengthGivesValidTables) {
  for (size_t bytes : {size_t{0}, size_t{1}, size_t{4096}, size_t{1} << 20, size_t{1} << 24, size_t{1} << 40}) {
    EXPECT_OK(CountModelOptions::ForLength(bytes, 20).Validate()) << bytes;
  }
}

}  // namespace
}  // namespace clm
