#include "core/predict/adaptive_model.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/digest.h"
#include "core/base/rng.h"
#include "core/predict/count_model.h"
#include "tests/testing/generated_text.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::Noise;
using ::clm::testing::StatusIs;
using ::clm::testing::Words;
using ::testing::HasSubstr;

constexpr AdaptiveModelOptions kSmall = {.lines_log2 = 8, .history_log2 = 12};

// The probabilities given before each bit of `data`.
std::vector<uint32_t> Probabilities(AdaptiveModel& model, const std::string& data) {
  std::vector<uint32_t> probabilities;
  for (char byte : data) {
    for (int shift = 7; shift >= 0; --shift) {
      probabilities.push_back(model.probability());
      model.Update((static_cast<uint8_t>(byte) >> shift) & 1);
    }
  }
  return probabilities;
}

double BitsOf(AdaptiveModel& model, const std::string& data) {
  const std::vector<uint32_t> probabilities = Probabilities(model, data);
  double bits = 0;
  for (size_t i = 0; i < probabilities.size(); ++i) {
    const int bit = (static_cast<uint8_t>(data[i / 8]) >> (7 - i % 8)) & 1;
    bits -= std::log2((bit != 0 ? probabilities[i] : 65536.0 - probabilities[i]) / 65536.0);
  }
  return bits;
}

TEST(AdaptiveModelTest, ProbabilitiesAreNeverCertain) {
  AdaptiveModel model(kSmall);
  const std::string data = std::string(3000, 'x') + Noise(1, 1000) + Words(2, 4000) + std::string(3000, '\0');
  for (const uint32_t probability : Probabilities(model, data)) {
    ASSERT_GE(probability, 1U);
    ASSERT_LE(probability, 65535U);
  }
}

TEST(AdaptiveModelTest, EqualBytesGiveEqualProbabilities) {
  const std::string data = Words(3, 3000) + Noise(4, 500) + Words(3, 1000);
  AdaptiveModel first(kSmall);
  AdaptiveModel second(kSmall);
  EXPECT_EQ(Probabilities(first, data), Probabilities(second, data));
}

TEST(AdaptiveModelTest, ResetIsAsGoodAsNew) {
  const std::string data = Words(5, 3000);
  AdaptiveModel model(kSmall);
  const std::vector<uint32_t> fresh = Probabilities(model, data);
  Probabilities(model, Noise(6, 3000) + "unfinished \n line");
  model.Update(1);  // in the middle of a byte
  model.Reset();
  EXPECT_EQ(model.path(), 1U);
  EXPECT_EQ(Probabilities(model, data), fresh);
}

TEST(AdaptiveModelTest, CopiesGoOnByThemselves) {
  AdaptiveModel model(kSmall);
  Probabilities(model, Words(7, 2000));
  model.Update(0);
  AdaptiveModel copy = model;
  const std::string more = Words(7, 1000);
  const std::vector<uint32_t> from_copy = Probabilities(copy, more);
  EXPECT_EQ(Probabilities(model, more), from_copy);
}

TEST(AdaptiveModelTest, ShowsWhatAMixtureNeeds) {
  AdaptiveModel model(kSmall);
  Probabilities(model, Words(8, 3000) + "abc");
  EXPECT_EQ(model.opinions().size(), Mixer::kSets);
  for (int bit : {0, 1, 1, 0}) {
    const double want = std::log(model.probability() / (65536.0 - model.probability())) * 256;
    EXPECT_NEAR(model.stretched(), std::min(std::max(want, -2047.0), 2047.0), 40);
    model.Update(bit);
  }
  EXPECT_EQ(model.path(), 0b10110U);
}

TEST(AdaptiveModelTest, PredictsTextBetterThanCounts) {
  const std::string text = Words(9, 20000);
  AdaptiveModel adaptive(AdaptiveModelOptions::ForLength(text.size()));
  CountModel count(CountModelOptions::ForLength(text.size(), 20));
  double count_bits = 0;
  for (char byte : text) count_bits += 20 - std::log2(count.EncodeStep(static_cast<uint8_t>(byte)).frequency);
  EXPECT_LT(BitsOf(adaptive, text), count_bits);
}

TEST(AdaptiveModelTest, NoiseCostsLittleMoreThanItself) {
  AdaptiveModel model(AdaptiveModelOptions::ForLength(20000));
  EXPECT_LT(BitsOf(model, Noise(10, 20000)), 1.02 * 160000);
}

TEST(AdaptiveModelTest, ConstantBytesCostNextToNothing) {
  AdaptiveModel model(kSmall);
  EXPECT_LT(BitsOf(model, std::string(20000, 'a')), 200);
}

TEST(AdaptiveModelTest, TheSecondTimeAlmostNothingIsNew) {
  AdaptiveModel model(AdaptiveModelOptions::ForLength(8000));
  const std::string noise = Noise(11, 4000);
  BitsOf(model, noise);
  EXPECT_LT(BitsOf(model, noise), 1600);
}

// The numbers themselves: another compiler, another optimisation or another machine must give the same. A change of the
// model changes them, and is another algorithm: raise its version with them.
TEST(AdaptiveModelTest, GivesTheNumbersItAlwaysGave) {
  const std::string data = Words(12, 6000) + Noise(13, 700) + Words(12, 3000) + "\n\nWords, \"Quoted\" and 12:34:56\n";
  for (const auto& [options, want] : {std::pair<AdaptiveModelOptions, std::string>{
                                          kSmall, "ed4f2c0b0b05d927de62959d3e94fee8279fd931b954ff1dbd94599d66ad7845"},
                                      {AdaptiveModelOptions::ForLength(100000),
                                       "fff465ddcbc64bd76211040a1571d5e29b0db451a1a1e2a9107709de2326a126"}}) {
    AdaptiveModel model(options);
    std::string bytes;
    for (const uint32_t probability : Probabilities(model, data)) {
      bytes += static_cast<char>(static_cast<uint8_t>(probability));
      bytes += static_cast<char>(static_cast<uint8_t>(probability >> 8));
    }
    EXPECT_EQ(Sha256Hex(bytes), want);
  }
}

TEST(AdaptiveModelOptionsTest, OutOfRangeIsRefusedByName) {
  EXPECT_OK(AdaptiveModelOptions{}.Validate());
  for (const int bad : {7, 21}) {
    EXPECT_THAT(AdaptiveModelOptions{.lines_log2 = bad}.Validate(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("lines_log2 is")));
  }
  for (const int bad : {11, 25}) {
    EXPECT_THAT(AdaptiveModelOptions{.history_log2 = bad}.Validate(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("history_log2 is")));
  }
}

TEST(AdaptiveModelOptionsTest, TablesGrowWithTheLengthUpToABound) {
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{5000}, size_t{1} << 20, size_t{1} << 24, size_t{1} << 40}) {
    EXPECT_OK(AdaptiveModelOptions::ForLength(bytes).Validate()) << bytes;
  }
  EXPECT_LT(AdaptiveModelOptions::ForLength(1000).lines_log2, AdaptiveModelOptions::ForLength(100000).lines_log2);
  EXPECT_LE(AdaptiveModelOptions::ForLength(size_t{1} << 24).lines_log2, 18);
}

TEST(AdaptiveModelOptionsTest, FingerprintsNameTheOptions) {
  EXPECT_EQ(AdaptiveModel::Fingerprint(kSmall).size(), 64U);
  EXPECT_EQ(AdaptiveModel::Fingerprint(kSmall), AdaptiveModel(kSmall).fingerprint());
  EXPECT_NE(AdaptiveModel::Fingerprint(kSmall), AdaptiveModel::Fingerprint({.lines_log2 = 9, .history_log2 = 12}));
  EXPECT_NE(AdaptiveModel::Fingerprint(kSmall), AdaptiveModel::Fingerprint({.lines_log2 = 8, .history_log2 = 13}));
}

}  // namespace
}  // namespace clm
