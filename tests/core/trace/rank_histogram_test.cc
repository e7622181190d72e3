#include "core/trace/rank_histogram.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(RankHistogramTest, EveryShareThatIsShownHasItsBar) {
  const std::string svg = RankHistogramSvg(std::vector<double>{10, 60, 0, 30}, "text");
  EXPECT_EQ(Count(svg, "<title>"), 3U);
  EXPECT_THAT(svg, HasSubstr("<title>misses: 10.000 %</title>"));
  EXPECT_THAT(svg, HasSubstr("<title>rank 0: 60.000 %</title>"));
  EXPECT_THAT(svg, HasSubstr("<title>rank 2: 30.000 %</title>"));
  EXPECT_THAT(svg, HasSubstr("misses 10.0 %, ranks above 40: 0.0 %"));
}

TEST(RankHistogramTest, RanksBeyondTheAxisAreSummedUp) {
  std::vector<double> percent(100, 1);
  const std::string svg = RankHistogramSvg(percent, "text");
  EXPECT_EQ(Count(svg, "<title>"), 42U);  // misses and ranks 0 to 40
  EXPECT_THAT(svg, HasSubstr("ranks above 40: 58.0 %"));
}

TEST(RankHistogramTest, BarsAreAsHighAsTheirShares) {
  // The axis ends at 60; the plot is 202 high.
  const std::string svg = RankHistogramSvg(std::vector<double>{0, 60, 30, 10}, "text");
  EXPECT_THAT(svg, HasSubstr("y=\"34.00\" width=\"10.48\" height=\"202.00\""));
  EXPECT_THAT(svg, HasSubstr("height=\"101.00\""));
}

TEST(RankHistogramTest, NothingIsAnEmptyChart) {
  for (const std::vector<double>& percent : {std::vector<double>{}, std::vector<double>{0}}) {
    const std::string svg = RankHistogramSvg(percent, "");
    EXPECT_EQ(Count(svg, "<title>"), 0U);
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
  }
}

TEST(RankHistogramTest, TheTitleIsEscaped) {
  const std::string svg = RankHistogramSvg(std::vector<double>{1}, "<script>&\"'");
  EXPECT_THAT(svg, HasSubstr("&lt;script&gt;&amp;&quot;&#39;"));
  EXPECT_THAT(svg, Not(HasSubstr("<script>")));
}

}  // namespace
}  // namespace clm
