#include "core/trace/trace.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/base/rng.h"
#include "core/representation/byte.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/trace/trace_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::FinePredictor;
using ::clm::testing::FixedPredictor;
using ::clm::testing::Prose;
using ::clm::testing::RecordingPredictor;
using ::clm::testing::SmallCountPredictor;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// 4 symbols of probability 1/2, 1/8, 1/4 and 1/8.
FixedPredictor FourSymbols() { return FixedPredictor({4092 / 2, 4092 / 8, 4092 / 4, 4092 / 8}, 12); }

TEST(TraceTest, RowsTellRankProbabilityBitsAndEntropy) {
  FixedPredictor predictor = FourSymbols();
  const std::vector<SymbolId> symbols = {0, 1, 2, 3};
  ASSERT_OK_AND_ASSIGN(const auto rows, TraceSymbols(predictor, symbols, {.top_n = 3}));
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].rank, 0);
  EXPECT_EQ(rows[1].rank, 2);  // 1/8: equal to symbol 3, which comes after it
  EXPECT_EQ(rows[2].rank, 1);
  EXPECT_EQ(rows[3].rank, kMissRank);  // rank 3 of top 3
  EXPECT_NEAR(rows[0].probability, 0.5, 0.001);
  EXPECT_NEAR(rows[0].bits, 1, 0.01);
  EXPECT_NEAR(rows[3].bits, 3, 0.01);
  EXPECT_NEAR(rows[0].entropy, 1.75, 0.01);
}

TEST(TraceTest, EqualFrequenciesRankByTheSymbol) {
  FixedPredictor predictor(std::vector<uint32_t>(64, 1), 12);
  std::vector<SymbolId> symbols(64);
  for (SymbolId i = 0; i < 64; ++i) symbols[i] = 63 - i;
  ASSERT_OK_AND_ASSIGN(const auto rows, TraceSymbols(predictor, symbols, {.top_n = 0}));
  for (const TraceRow& row : rows) EXPECT_EQ(row.rank, static_cast<int32_t>(row.token));
}

TEST(TraceTest, RanksAreThoseOfThePredictor) {
  const auto predictor = SmallCountPredictor();
  const ByteRepresentation bytes;
  ASSERT_OK_AND_ASSIGN(const Trace trace, TraceText(bytes, *predictor, Prose().substr(0, 60), {.top_n = 0}));
  predictor->Reset(0);
  for (const TraceRow& row : trace.rows) {
    EXPECT_EQ(static_cast<uint32_t>(row.rank), predictor->RankOf(0, row.token));
    predictor->Update(0, row.token);
  }
}

TEST(TraceTest, TheOrderIsThePredictorsWhereFrequenciesDoNotTell) {
  FinePredictor predictor;
  const std::vector<SymbolId> symbols = {3, 7, 0, 5};
  ASSERT_OK_AND_ASSIGN(const auto rows, TraceSymbols(predictor, symbols, {.top_n = 0}));
  EXPECT_EQ(rows[0].rank, 4);
  EXPECT_EQ(rows[1].rank, 0);
  ASSERT_OK_AND_ASSIGN(const auto restored, RestoreRows(predictor, RankSymbolsOf(rows), {.top_n = 0}));
  EXPECT_EQ(TokensOf(restored), symbols);
}

TEST(TraceTest, AnyBytesComeBackFromTheirRanksForAnyTopN) {
  const auto predictor = SmallCountPredictor();
  const ByteRepresentation bytes;
  CounterRng rng(1, "bytes", 0);
  std::string noise = "\xEF\xBB\xBF\r\n\xED\xA0\x80";  // BOM, line end, lone surrogate
  for (int i = 0; i < 100; ++i) noise.push_back(static_cast<char>(static_cast<uint8_t>(rng.NextU32())));
  for (const std::string& text : {std::string(), std::string("x"), Prose(), noise}) {
    for (const uint32_t top_n : {1U, 2U, 128U, 256U, 100000U, 0U}) {
      const TraceOptions options = {.top_n = top_n, .with_entropy = false};
      ASSERT_OK_AND_ASSIGN(const Trace trace, TraceText(bytes, *predictor, text, options));
      ASSERT_OK_AND_ASSIGN(const auto rows, RestoreRows(*predictor, RankSymbolsOf(trace.rows), options));
      EXPECT_EQ(rows, trace.rows);
      ASSERT_OK_AND_ASSIGN(const std::string back, bytes.Decode(TokensOf(rows)));
      EXPECT_EQ(back, text);
    }
  }
}

TEST(TraceTest, TheRankAtTopNIsAMiss) {
  FixedPredictor predictor(std::vector<uint32_t>(256, 1), 12);
  const std::vector<SymbolId> symbols = {127, 128};
  ASSERT_OK_AND_ASSIGN(const auto rows, TraceSymbols(predictor, symbols, {.top_n = 128}));
  EXPECT_THAT(RankSymbolsOf(rows), ElementsAre(-128, 128));
}

TEST(TraceTest, WithoutAskingTheFirstSymbolIsLiteral) {
  const auto predictor = SmallCountPredictor();
  const ByteRepresentation bytes;
  const TraceOptions options = {.ask_first = false};
  ASSERT_OK_AND_ASSIGN(const Trace trace, TraceText(bytes, *predictor, "abc", options));
  EXPECT_FALSE(trace.rows[0].asked());
  EXPECT_EQ(trace.rows[0].rank, kMissRank);
  EXPECT_TRUE(trace.rows[1].asked());
  ASSERT_OK_AND_ASSIGN(const auto rows, RestoreRows(*predictor, RankSymbolsOf(trace.rows), options));
  EXPECT_EQ(rows, trace.rows);
  EXPECT_THAT(RestoreRows(*predictor, std::vector<RankSymbol>{-1}, options), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(TraceTest, BitsAddUpToWhatThePredictorNeeds) {
  const auto predictor = SmallCountPredictor();
  const ByteRepresentation bytes;
  ASSERT_OK_AND_ASSIGN(const Trace trace, TraceText(bytes, *predictor, Prose(), {}));
  double bits = 0;
  for (const TraceRow& row : trace.rows) bits += row.bits;
  double expected = 0;
  predictor->Reset(0);
  for (const TraceRow& row : trace.rows) {
    expected += 20 - std::log2(predictor->Interval(0, row.token).frequency);
    predictor->Update(0, row.token);
  }
  EXPECT_NEAR(bits, expected, 1e-6);
}

TEST(TraceWindowTest, APositionSeesTheLastSymbolsOfItsWindow) {
  for (const uint64_t window : {1U, 2U, 3U, 100U}) {
    RecordingPredictor predictor;
    const ByteRepresentation bytes;
    const std::string text = "abcdefg";
    ASSERT_OK(TraceText(bytes, predictor, text, {.window = window}).status());
    ASSERT_EQ(predictor.seen().size(), text.size());
    for (size_t i = 0; i < text.size(); ++i) {
      const size_t seen = std::min<size_t>(i, window);
      EXPECT_EQ(predictor.seen()[i], text.substr(i - seen, seen)) << "window " << window << " position " << i;
    }
  }
}

TEST(TraceWindowTest, EveryWindowComesBack) {
  const auto predictor = SmallCountPredictor();
  const ByteRepresentation bytes;
  const std::string text = Prose().substr(0, 30);
  for (const uint64_t window : {1U, 2U, 1023U, 0U}) {
    const TraceOptions options = {.window = window, .with_entropy = false};
    ASSERT_OK_AND_ASSIGN(const Trace trace, TraceText(bytes, *predictor, text, options));
    ASSERT_OK_AND_ASSIGN(const auto rows, RestoreRows(*predictor, RankSymbolsOf(trace.rows), options));
    EXPECT_EQ(rows, trace.rows) << window;
  }
}

TEST(TraceWindowTest, AWindowLargerThanTheTextIsNone) {
  const auto predictor = SmallCountPredictor();
  const ByteRepresentation bytes;
  ASSERT_OK_AND_ASSIGN(const Trace with, TraceText(bytes, *predictor, Prose(), {.window = 1000}));
  ASSERT_OK_AND_ASSIGN(const Trace without, TraceText(bytes, *predictor, Prose(), {}));
  EXPECT_EQ(with.rows, without.rows);
}

TEST(TraceLimitTest, LongTextsAndExpensiveWindowsAreRefused) {
  FixedPredictor predictor(std::vector<uint32_t>(256, 1), 12);
  const ByteRepresentation bytes;
  EXPECT_THAT(TraceText(bytes, predictor, "abcd", {.max_symbols = 3}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("4 symbols, the limit is 3")));
  EXPECT_THAT(TraceText(bytes, predictor, std::string(200000, 'x'), {.window = 1000}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("window of 1000")));
  EXPECT_THAT(TraceText(bytes, predictor, "", {.max_symbols = 0}), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(TraceLimitTest, StopAfterLooksAtTheBeginning) {
  FixedPredictor predictor(std::vector<uint32_t>(256, 1), 12);
  const ByteRepresentation bytes;
  ASSERT_OK_AND_ASSIGN(const Trace trace, TraceText(bytes, predictor, "abcdef", {.stop_after = 4}));
  EXPECT_EQ(trace.rows.size(), 4U);
  EXPECT_EQ(trace.original_bytes, 4U);
  EXPECT_FALSE(trace.whole);
}

TEST(TraceLimitTest, SymbolsThatThePredictorDoesNotKnowAreRefused) {
  FixedPredictor predictor(std::vector<uint32_t>(16, 1), 12);
  EXPECT_THAT(TraceSymbols(predictor, std::vector<SymbolId>{3, 16}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("symbol 16 at position 1")));
  EXPECT_THAT(RestoreRows(predictor, std::vector<RankSymbol>{16}, {}), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(RestoreRows(predictor, std::vector<RankSymbol>{-17}, {}), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(TraceLimitTest, ACancelledCallerGetsNoTrace) {
  FixedPredictor predictor(std::vector<uint32_t>(256, 1), 12);
  CancellationSource source;
  source.Cancel();
  EXPECT_THAT(TraceText(ByteRepresentation(), predictor, "abc", {}, source.token()),
              StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace clm
