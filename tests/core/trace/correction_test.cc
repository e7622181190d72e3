#include "core/trace/correction.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/rng.h"
#include "core/representation/byte.h"
#include "core/trace/trace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/trace/trace_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::FixedPredictor;
using ::clm::testing::Prose;
using ::clm::testing::SmallCountPredictor;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string NoiseBytes(uint64_t seed, size_t bytes) {
  CounterRng rng(seed, "noise", 0);
  std::string data(bytes, '\0');
  for (char& byte : data) byte = static_cast<char>(static_cast<uint8_t>(rng.NextU32()));
  return data;
}

// 256 bytes that get rarer and a boundary.
FixedPredictor FallingPredictor(uint32_t boundary_weight) {
  std::vector<uint32_t> weights;
  for (uint32_t i = 0; i < 256; ++i) weights.push_back(1000000 / (i + 1));
  weights.push_back(boundary_weight);
  return FixedPredictor(weights, 16);
}

class CorrectionTest : public ::testing::Test {
 protected:
  CorrectedText Generate(SymbolPredictor& predictor, absl::string_view prompt, const Corrections& corrections,
                         const CorrectionOptions& options) {
    auto text = GenerateFromCorrections(bytes_, predictor, prompt, corrections, options);
    EXPECT_OK(text.status());
    return *std::move(text);
  }

  const ByteRepresentation bytes_;
  const std::unique_ptr<SymbolPredictor> count_ = SmallCountPredictor();
};

TEST_F(CorrectionTest, ZerosAreGreedy) {
  const CorrectedText text = Generate(*count_, Prose(), ZeroCorrections{}, {.max_symbols = 36});
  EXPECT_EQ(text.end, CorrectionEnd::kMaxSymbols);
  ASSERT_EQ(text.symbols.size(), 36U);
  for (const char c : Prose()) count_->Update(0, static_cast<uint8_t>(c));
  std::vector<uint32_t> frequencies(256);
  for (const SymbolId symbol : text.symbols) {
    count_->Frequencies(0, frequencies);
    EXPECT_EQ(std::max_element(frequencies.begin(), frequencies.end()) - frequencies.begin(), symbol);
    count_->Update(0, symbol);
  }
}

TEST_F(CorrectionTest, EighteenZeroBytesAreThirtySixFirstChoices) {
  const CorrectedText nibbles =
      Generate(*count_, Prose(), NibbleCorrections{std::string(18, '\0')}, {.max_symbols = 1000});
  EXPECT_EQ(nibbles.symbols.size(), 36U);
  EXPECT_EQ(nibbles.end, CorrectionEnd::kCorrections);
  EXPECT_EQ(nibbles.text, Generate(*count_, Prose(), ZeroCorrections{}, {.max_symbols = 36}).text);
}

TEST_F(CorrectionTest, TheLowNibbleComesFirst) {
  EXPECT_THAT(RanksOfNibbles("\x5C\x30"), ElementsAre(HitOfRank(12), HitOfRank(5), HitOfRank(0), HitOfRank(3)));
  FixedPredictor predictor = FallingPredictor(1);  // rank r is byte r
  EXPECT_EQ(Generate(predictor, "", NibbleCorrections{"\x5C"}, {}).text, "\x0C\x05");
}

TEST_F(CorrectionTest, TheRanksOfATextReproduceIt) {
  const std::string noise = NoiseBytes(1, 200);
  for (const std::string& text : {Prose(), noise, std::string("\xFF\xC3(\0\xED\xA0\x80", 7), std::string()}) {
    for (const uint32_t top_n : {0U, 16U}) {
      const auto trace = TraceText(bytes_, *count_, text, {.top_n = top_n, .with_entropy = false});
      ASSERT_OK(trace.status());
      const CorrectedText back =
          Generate(*count_, "", RankCorrections{RankSymbolsOf(trace->rows)}, {.max_symbols = 100000});
      EXPECT_EQ(back.text, text);
      EXPECT_EQ(back.used_corrections, text.size());
      EXPECT_EQ(back.unused_corrections, 0U);
    }
  }
}

TEST_F(CorrectionTest, CorrectionsBeyondMaxSymbolsAreCountedAsUnused) {
  FixedPredictor predictor = FallingPredictor(1);
  const CorrectedText text = Generate(predictor, "", RankCorrections{{-1, -2, -3, -4, -5}}, {.max_symbols = 3});
  EXPECT_EQ(text.text, std::string("\0\1\2", 3));
  EXPECT_EQ(text.end, CorrectionEnd::kMaxSymbols);
  EXPECT_EQ(text.used_corrections, 3U);
  EXPECT_EQ(text.unused_corrections, 2U);
}

TEST_F(CorrectionTest, CorrectionsThatRunOutEndTheTextOrGoOnGreedily) {
  FixedPredictor predictor = FallingPredictor(1);
  const CorrectedText ends = Generate(predictor, "", RankCorrections{{-2}}, {.max_symbols = 3});
  EXPECT_EQ(ends.text, "\1");
  EXPECT_EQ(ends.end, CorrectionEnd::kCorrections);
  const CorrectedText goes_on = Generate(predictor, "", RankCorrections{{-2}}, {.max_symbols = 3, .greedy_tail = true});
  EXPECT_EQ(goes_on.text, std::string("\1\0\0", 3));
  EXPECT_EQ(goes_on.end, CorrectionEnd::kMaxSymbols);
}

TEST_F(CorrectionTest, TheBoundaryEndsTheText) {
  FixedPredictor predictor = FallingPredictor(2000000);  // the boundary is the first choice
  const CorrectedText text = Generate(predictor, "", RankCorrections{{-2, -1, -2}}, {});
  EXPECT_EQ(text.text, std::string("\0", 1));
  EXPECT_EQ(text.end, CorrectionEnd::kBoundary);
  const CorrectedText whole = Generate(predictor, "", RankCorrections{{-2, -1, -2}}, {.stop_at_boundary = false});
  EXPECT_EQ(whole.text, std::string("\0\0", 2));
  EXPECT_EQ(whole.symbols.size(), 3U);
}

TEST_F(CorrectionTest, TheCodedTextReproducesIt) {
  const std::string noise = NoiseBytes(2, 300);
  for (const std::string& text : {Prose(), noise, std::string("x"), std::string()}) {
    const auto payload = PayloadOfText(bytes_, *count_, "Prompt. ", text, {.max_symbols = 10000});
    ASSERT_OK(payload.status());
    const CorrectedText back = Generate(*count_, "Prompt. ", PayloadCorrections{*payload}, {.max_symbols = 10000});
    EXPECT_EQ(back.text, text);
    EXPECT_EQ(back.end, CorrectionEnd::kCorrections);
    EXPECT_EQ(back.used_corrections, text.size());
    EXPECT_EQ(back.unused_corrections, 0U);
  }
}

TEST_F(CorrectionTest, AnyBytesArePayloads) {
  for (size_t length = 0; length < 40; ++length) {
    for (const std::string& data : {NoiseBytes(length, length), std::string(length, '\xFF')}) {
      const CorrectedText text = Generate(*count_, "", PayloadCorrections{data}, {.max_symbols = 40});
      EXPECT_EQ(text.text.empty(), length == 0) << length;
    }
  }
  // The initial state and no words: what coding nothing gives.
  EXPECT_EQ(Generate(*count_, "", PayloadCorrections{std::string(8, '\0')}, {}).text, "");
}

// Chi-square at p = 0.001 by Wilson and Hilferty: with 256 degrees of freedom about 330.
double ChiSquareLimit(double degrees) {
  const double a = 2 / (9 * degrees);
  return degrees * std::pow(1 - a + 3.0902 * std::sqrt(a), 3);
}

TEST_F(CorrectionTest, RandomBytesSampleTheDistribution) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    FixedPredictor predictor = FallingPredictor(3000);
    const CorrectionOptions options = {.max_symbols = 50000, .stop_at_boundary = false};
    const CorrectedText text = Generate(predictor, "", PayloadCorrections{NoiseBytes(seed, 100000)}, options);
    ASSERT_EQ(text.symbols.size(), 50000U);
    std::vector<double> counts(257);
    for (const SymbolId symbol : text.symbols) ++counts[symbol];
    double chi_square = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      const double expected = 50000.0 * predictor.frequencies()[i] / 65536;
      chi_square += (counts[i] - expected) * (counts[i] - expected) / expected;
    }
    EXPECT_LT(chi_square, ChiSquareLimit(256)) << "seed " << seed;
  }
}

TEST_F(CorrectionTest, WhatThePredictorCannotGiveIsRefused) {
  FixedPredictor predictor = FallingPredictor(1);
  EXPECT_THAT(GenerateFromCorrections(bytes_, predictor, "", RankCorrections{{-258}}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("rank 257 at correction 0")));
  EXPECT_THAT(GenerateFromCorrections(bytes_, predictor, "", RankCorrections{{0, 257}}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("symbol 257 at correction 1")));
  EXPECT_THAT(GenerateFromCorrections(bytes_, predictor, "", ZeroCorrections{}, {.max_symbols = 0}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(GenerateFromCorrections(bytes_, predictor, "", ZeroCorrections{}, {.max_symbols = 1048577}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  FixedPredictor small(std::vector<uint32_t>(16, 1), 12);
  EXPECT_THAT(GenerateFromCorrections(bytes_, small, "a", ZeroCorrections{}, {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("symbol 97")));
  EXPECT_THAT(PayloadOfText(bytes_, predictor, "", "abc", {.max_symbols = 2}),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace clm
