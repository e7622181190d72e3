#include "core/codec/rank_coder.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "core/base/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/codec/rank_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::AnySymbols;
using ::clm::testing::IdealBits;
using ::clm::testing::ModelRanks;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

struct RankForm {
  const char* name;
  absl::StatusOr<std::string> (*encode)(std::span<const RankSymbol>, const RankAlphabet&);
  absl::StatusOr<std::vector<RankSymbol>> (*decode)(absl::string_view, size_t, const RankAlphabet&);
  const char* golden_sha256;  // of the payload of ModelRanks(1, 3000, {5000, 128})
};

class RankCoderTest : public ::testing::TestWithParam<RankForm> {
 protected:
  void ExpectRoundTrip(const std::vector<RankSymbol>& symbols, const RankAlphabet& alphabet) {
    ASSERT_OK_AND_ASSIGN(const std::string payload, GetParam().encode(symbols, alphabet));
    ASSERT_OK_AND_ASSIGN(const std::vector<RankSymbol> back, GetParam().decode(payload, symbols.size(), alphabet));
    ASSERT_EQ(back, symbols);
  }
};

TEST_P(RankCoderTest, RandomSequencesComeBack) {
  for (uint64_t round = 0; round < 300; ++round) {
    CounterRng rng(round, "rounds", 0);
    const auto different = static_cast<uint32_t>(1 + rng.NextBelow(uint64_t{1} << rng.NextBelow(13)));
    const auto symbols = AnySymbols(rng, rng.NextBelow(uint64_t{1} << rng.NextBelow(12)), different);
    ASSERT_NO_FATAL_FAILURE(ExpectRoundTrip(symbols, {.vocab_size = 50000, .top_k = 5000})) << "round " << round;
  }
}

TEST_P(RankCoderTest, NoSymbolsAreNoBytes) {
  const RankAlphabet alphabet = {.vocab_size = 10, .top_k = 3};
  ASSERT_OK_AND_ASSIGN(const std::string payload, GetParam().encode({}, alphabet));
  EXPECT_EQ(payload, "");
  ASSERT_OK_AND_ASSIGN(const auto back, GetParam().decode("", 0, alphabet));
  EXPECT_TRUE(back.empty());
  EXPECT_THAT(GetParam().decode("x", 0, alphabet), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(GetParam().decode("", 1, alphabet), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_P(RankCoderTest, OneSymbolAlphabetCostsAFewBytes) {
  const std::vector<RankSymbol> symbols(100000, MissOfSymbol(0));
  const RankAlphabet alphabet = {.vocab_size = 1, .top_k = 0};
  ASSERT_OK_AND_ASSIGN(const std::string payload, GetParam().encode(symbols, alphabet));
  EXPECT_LE(payload.size(), 16U);
  ExpectRoundTrip(symbols, alphabet);
}

TEST_P(RankCoderTest, AllSymbolsDistinctComeBack) {
  std::vector<RankSymbol> symbols(3000);
  std::iota(symbols.begin(), symbols.end(), -1000);
  std::reverse(symbols.begin(), symbols.end());
  ExpectRoundTrip(symbols, {.vocab_size = 2000, .top_k = 1000});
}

TEST_P(RankCoderTest, TheEndsOfTheLargestAlphabetComeBack) {
  const RankAlphabet alphabet = {.vocab_size = uint32_t{1} << 31, .top_k = uint32_t{1} << 31};
  ExpectRoundTrip({HitOfRank(0), HitOfRank(2147483647), MissOfSymbol(2147483647), MissOfSymbol(0)}, alphabet);
}

TEST_P(RankCoderTest, ModelRanksCostAboutTheirEntropy) {
  const RankAlphabet alphabet = {.vocab_size = 5000, .top_k = 128};
  const auto symbols = ModelRanks(1, 50000, alphabet);
  ASSERT_OK_AND_ASSIGN(const std::string payload, GetParam().encode(symbols, alphabet));
  // The table or what it takes to learn the 2 500 missed ids is the rest.
  EXPECT_LT(static_cast<double>(payload.size()), IdealBits(symbols) / 8 * 1.06);
}

TEST_P(RankCoderTest, ASymbolOutsideTheAlphabetIsRefused) {
  const RankAlphabet alphabet = {.vocab_size = 10, .top_k = 3};
  EXPECT_THAT(GetParam().encode(std::vector<RankSymbol>{0, 10}, alphabet),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("rank symbol 10 at position 1")));
  EXPECT_THAT(GetParam().encode(std::vector<RankSymbol>{-4}, alphabet), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(GetParam().encode({}, {.vocab_size = 10, .top_k = 11}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(GetParam().decode("", 0, {.vocab_size = 0, .top_k = 0}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(GetParam().decode("", kMaxRankSymbols + 1, alphabet), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_P(RankCoderTest, ATruncatedPayloadIsRefused) {
  const RankAlphabet alphabet = {.vocab_size = 300, .top_k = 16};
  const auto symbols = ModelRanks(2, 400, alphabet);
  ASSERT_OK_AND_ASSIGN(const std::string payload, GetParam().encode(symbols, alphabet));
  for (size_t length = 0; length < payload.size(); ++length) {
    EXPECT_THAT(GetParam().decode(absl::string_view(payload).substr(0, length), symbols.size(), alphabet),
                StatusIs(absl::StatusCode::kDataLoss))
        << length;
  }
  EXPECT_THAT(GetParam().decode(payload + '\0', symbols.size(), alphabet), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_P(RankCoderTest, AnotherCountIsRefused) {
  const RankAlphabet alphabet = {.vocab_size = 300, .top_k = 16};
  const auto symbols = ModelRanks(3, 400, alphabet);
  ASSERT_OK_AND_ASSIGN(const std::string payload, GetParam().encode(symbols, alphabet));
  for (const size_t count : {size_t{1}, size_t{200}, kMaxRankSymbols}) {
    EXPECT_THAT(GetParam().decode(payload, count, alphabet), StatusIs(absl::StatusCode::kDataLoss)) << count;
  }
}

TEST_P(RankCoderTest, DamageIsRefusedOrGivesSymbolsOfTheAlphabet) {
  const RankAlphabet alphabet = {.vocab_size = 300, .top_k = 16};
  const auto symbols = ModelRanks(4, 200, alphabet);
  ASSERT_OK_AND_ASSIGN(const std::string payload, GetParam().encode(symbols, alphabet));
  for (size_t bit = 0; bit < 8 * payload.size(); ++bit) {
    std::string damaged = payload;
    damaged[bit / 8] = static_cast<char>(static_cast<uint8_t>(damaged[bit / 8]) ^ (1U << (bit % 8)));
    const auto back = GetParam().decode(damaged, symbols.size(), alphabet);
    if (!back.ok()) {
      ASSERT_EQ(back.status().code(), absl::StatusCode::kDataLoss);
      continue;
    }
    ASSERT_EQ(back->size(), symbols.size());
    for (const RankSymbol symbol : *back) ASSERT_TRUE(alphabet.Contains(symbol));
    // One legal form: what was decoded encodes to what was read.
    ASSERT_OK_AND_ASSIGN(const std::string again, GetParam().encode(*back, alphabet));
    ASSERT_EQ(again, damaged);
  }
}

TEST_P(RankCoderTest, NoiseIsRefused) {
  CounterRng rng(5, "noise", 0);
  for (int round = 0; round < 2000; ++round) {
    std::string noise(rng.NextBelow(100), '\0');
    for (char& byte : noise) byte = static_cast<char>(static_cast<uint8_t>(rng.NextU32()));
    const auto back = GetParam().decode(noise, 1000, {.vocab_size = 300, .top_k = 16});
    EXPECT_TRUE(back.ok() || back.status().code() == absl::StatusCode::kDataLoss) << back.status();
  }
}

TEST_P(RankCoderTest, PayloadsNeverChange) {
  const RankAlphabet alphabet = {.vocab_size = 5000, .top_k = 128};
  ASSERT_OK_AND_ASSIGN(const std::string payload, GetParam().encode(ModelRanks(1, 3000, alphabet), alphabet));
  EXPECT_EQ(Sha256Hex(payload), GetParam().golden_sha256);
}

INSTANTIATE_TEST_SUITE_P(Forms, RankCoderTest,
                         ::testing::Values(RankForm{"Static", EncodeRanksStatic, DecodeRanksStatic,
                                                    "65dc7b76a9e57dd47dc8e6d7fc44c2f64baba9da98ed8153beb800129265cfcf"},
                                           RankForm{
                                               "Adaptive", EncodeRanksAdaptive, DecodeRanksAdaptive,
                                               "d2c8a4b40267449034f2b8228097fe20dacb508bb3101f945b03e6c2b9da7f60"}),
                         [](const auto& form) { return std::string(form.param.name); });

TEST(RankAlphabetTest, RanksMapBelowZeroAndMissesToTheirIds) {
  EXPECT_EQ(HitOfRank(0), -1);
  EXPECT_EQ(HitOfRank(127), -128);
  EXPECT_EQ(MissOfSymbol(15496), 15496);
  EXPECT_EQ(RankOfHit(-128), 127U);
  const RankAlphabet alphabet = {.vocab_size = 50257, .top_k = 128};
  EXPECT_TRUE(alphabet.Contains(-128));
  EXPECT_FALSE(alphabet.Contains(-129));  // rank 128 of top 128 is a miss
  EXPECT_TRUE(alphabet.Contains(50256));
  EXPECT_FALSE(alphabet.Contains(50257));
}

TEST(RankCoderSizeTest, TheTableIsFarBelowFourBytesAnEntry) {
  const RankAlphabet alphabet = {.vocab_size = 50257, .top_k = 128};
  const auto symbols = ModelRanks(6, 4000, alphabet);
  ASSERT_OK_AND_ASSIGN(const std::string payload, EncodeRanksStatic(symbols, alphabet));
  std::vector<RankSymbol> different = symbols;
  std::sort(different.begin(), different.end());
  different.erase(std::unique(different.begin(), different.end()), different.end());
  const double table_bytes = static_cast<double>(payload.size()) - IdealBits(symbols) / 8;
  EXPECT_LT(table_bytes, 1.7 * static_cast<double>(different.size()));
}

TEST(RankCoderSizeTest, AdaptiveLearnsWhatTheContextSays) {
  std::vector<RankSymbol> symbols;  // after a miss the predictor is lost for a while
  for (int i = 0; i < 2000; ++i) {
    for (const RankSymbol symbol : {17, -9, -3, -1, -1, -1, -1, -1}) symbols.push_back(symbol);
  }
  const RankAlphabet alphabet = {.vocab_size = 300, .top_k = 16};
  ASSERT_OK_AND_ASSIGN(const std::string adaptive, EncodeRanksAdaptive(symbols, alphabet));
  EXPECT_LT(static_cast<double>(adaptive.size()), 0.6 * IdealBits(symbols) / 8);
}

}  // namespace
}  // namespace clm
