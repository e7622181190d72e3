#include "core/trace/trace_statistics.h"

#include <numeric>

#include "core/representation/byte.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/trace/trace_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::Prose;
using ::clm::testing::SmallCountPredictor;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<TraceRow> SomeRows() {
  return {{.token = 5},
          {.token = 1, .rank = 0, .probability = 0.5, .bits = 1, .entropy = 2},
          {.token = 2, .rank = 3, .probability = 0.125, .bits = 3, .entropy = 2},
          {.token = 3, .rank = 0, .probability = 0.25, .bits = 2, .entropy = 2}};
}

TEST(TraceStatisticsTest, SharesAndBitsAreCounted) {
  const TraceStatistics statistics = StatisticsOf(SomeRows(), 12);
  EXPECT_EQ(statistics.symbols, 4U);
  EXPECT_EQ(statistics.hits, 3U);
  EXPECT_EQ(statistics.misses, 1U);
  EXPECT_EQ(statistics.perfect, 2U);
  EXPECT_DOUBLE_EQ(statistics.perfect_percent(), 50);
  EXPECT_DOUBLE_EQ(statistics.hit_percent() + statistics.miss_percent(), 100);
  EXPECT_DOUBLE_EQ(statistics.bits_per_symbol(), 1.5);
  EXPECT_DOUBLE_EQ(statistics.bits_per_byte(), 0.5);
}

TEST(TraceStatisticsTest, NoRowsAreNoNumbers) {
  const TraceStatistics statistics = StatisticsOf({}, 0);
  EXPECT_EQ(statistics.hit_percent(), 0);
  EXPECT_EQ(statistics.bits_per_byte(), 0);
  EXPECT_THAT(RankHistogram({}), ElementsAre(0));
}

TEST(TraceStatisticsTest, TheHistogramSumsToTheWhole) {
  EXPECT_THAT(RankHistogram(SomeRows()), ElementsAre(25, 50, 0, 0, 25));
  const auto predictor = SmallCountPredictor();
  ASSERT_OK_AND_ASSIGN(const Trace trace, TraceText(ByteRepresentation(), *predictor, Prose(), {.top_n = 20}));
  const std::vector<double> percent = RankHistogram(trace.rows);
  EXPECT_LE(percent.size(), 21U);
  EXPECT_NEAR(std::accumulate(percent.begin(), percent.end(), 0.0), 100, 1e-9);
}

TEST(TraceStatisticsTest, SizesAreThoseOfTheFile) {
  const RankBin bin = *EncodeRankBin(std::vector<RankSymbol>{15496, -1, -1, -2, -1, -3, -1, -1, 995});
  const RankBinSizes sizes = SizesOf(bin);
  EXPECT_EQ(sizes.symbol_table_bytes, 20U);
  EXPECT_EQ(sizes.count_table_bytes, 4U);
  EXPECT_EQ(sizes.payload_bytes, 8U);
  EXPECT_EQ(sizes.total_bytes(), WriteRankBin(bin)->size());
}

TEST(TraceStatisticsTest, ProbabilitiesCostLessThanRanks) {
  const auto predictor = SmallCountPredictor();
  std::string text;
  for (int i = 0; i < 6; ++i) text += Prose();
  ASSERT_OK_AND_ASSIGN(const Trace trace, TraceText(ByteRepresentation(), *predictor, text, {}));
  ASSERT_OK_AND_ASSIGN(const RankCosts costs, CostsOf(trace));
  EXPECT_LT(costs.probability_bytes, costs.rank_adaptive_bytes);
  EXPECT_LT(costs.probability_bytes, costs.rank_static_bytes);
  EXPECT_LT(costs.rank_static_bytes, costs.rank_bin_bytes);
}

TEST(TraceStatisticsTest, TheTextNamesEveryNumber) {
  RankBinSizes sizes;
  sizes.symbol_table_bytes = 1200;
  const std::string text = StatisticsText(StatisticsOf(SomeRows(), 12), {.probability_bytes = 1500}, sizes);
  EXPECT_THAT(text, HasSubstr("hits              3 (75.0 %)\n"));
  EXPECT_THAT(text, HasSubstr("perfect hits      2 (50.0 %)\n"));
  EXPECT_THAT(text, HasSubstr("misses            1 (25.0 %)\n"));
  EXPECT_THAT(text, HasSubstr("bits per byte     0.5000\n"));
  EXPECT_THAT(text, HasSubstr("probabilities     1.5 kB\n"));
  EXPECT_THAT(text, HasSubstr("symbols 1.2, counts 0.0"));
}

}  // namespace
}  // namespace clm
