#include "core/trace/heat_map.h"

#include "core/representation/byte.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<TraceRow> RowsOf(absl::string_view text, int32_t rank, double probability) {
  std::vector<TraceRow> rows;
  for (const char c : text) {
    rows.push_back({.token = static_cast<uint8_t>(c), .rank = rank, .probability = probability, .bits = 1});
  }
  return rows;
}

std::string Html(absl::string_view text) {
  const auto html = HeatMapHtml(ByteRepresentation(), RowsOf(text, 0, 0.25), "title");
  EXPECT_OK(html.status());
  return *html;
}

// Colours: matplotlib's inferno at these places.
TEST(HeatMapTest, ColoursAreInferno) {
  EXPECT_THAT(Inferno(0), ElementsAre(0, 0, 3));
  EXPECT_THAT(Inferno(0.5), ElementsAre(187, 55, 84));
  EXPECT_THAT(Inferno(1), ElementsAre(252, 254, 164));
  EXPECT_EQ(Inferno(-3), Inferno(0));
  EXPECT_EQ(Inferno(7), Inferno(1));
}

TEST(HeatMapTest, HeatFollowsDepthAndProbability) {
  const auto row = [](int32_t rank, double p) { return TraceRow{.token = 0, .rank = rank, .probability = p}; };
  EXPECT_DOUBLE_EQ(DepthHeat(row(0, 1)), 0);
  EXPECT_DOUBLE_EQ(DepthHeat(row(4, 1)), 0.25);
  EXPECT_DOUBLE_EQ(DepthHeat(row(16, 1)), 1);
  EXPECT_DOUBLE_EQ(DepthHeat(row(100, 1)), 1);
  EXPECT_DOUBLE_EQ(DepthHeat(row(kMissRank, 0.5)), 1);
  EXPECT_DOUBLE_EQ(ProbabilityHeat(row(0, 0.25)), 0.5);
  EXPECT_DOUBLE_EQ(ProbabilityHeat(row(0, 1)), 0);
  EXPECT_DOUBLE_EQ(ProbabilityHeat(row(kMissRank, 0.5)), 1);
}

TEST(HeatMapTest, BothColumnsShowEveryToken) {
  const std::string html = Html("ab");
  EXPECT_THAT(html,
              HasSubstr("<span style=\"color:#bb3754\" title=\"#0 token 97, rank 0, p 0.250000, 1.00 bits\">a</span>"));
  // 1 - sqrt(1/4) = 1/2, so the colour is inferno(3/4).
  EXPECT_THAT(html,
              HasSubstr("<span style=\"color:#f98e08\" title=\"#1 token 98, rank 0, p 0.250000, 1.00 bits\">b</span>"));
}

TEST(HeatMapTest, TextCannotBecomeMarkup) {
  const std::string html = Html(absl::string_view("<script>&\"'\0", 12));
  EXPECT_THAT(html, Not(HasSubstr("<script>")));
  EXPECT_THAT(html, HasSubstr(">&lt;</span>"));
  EXPECT_THAT(html, HasSubstr(">&amp;</span>"));
  EXPECT_THAT(html, HasSubstr(">&quot;</span>"));
  EXPECT_THAT(html, HasSubstr(">&#39;</span>"));
  EXPECT_THAT(html, HasSubstr(">\xE2\x90\x80</span>"));
}

TEST(HeatMapTest, ACharacterIsShownByTheTokenThatCompletesIt) {
  const std::string html = Html("\xE2\x82\xAC");
  EXPECT_THAT(html, HasSubstr(">\xC2\xB7</span>"));
  EXPECT_THAT(html, HasSubstr(">\xE2\x82\xAC</span>"));
}

TEST(HeatMapTest, BytesThatAreNoCharacterAreSpelledOut) {
  EXPECT_THAT(Html("\xFF!"), HasSubstr(">\\xFF</span>"));
  EXPECT_THAT(Html("a\xE2\x82"), HasSubstr("\\xE2\\x82</span></div>"));  // cut short at the end
  EXPECT_THAT(Html("\xC3z"), HasSubstr(">\\xC3z</span>"));
}

TEST(HeatMapTest, NoRowsAreAPage) { EXPECT_THAT(Html(""), HasSubstr("<div class=\"tcol\"></div>")); }

TEST(HeatMapTest, TooManyRowsAndUnknownTokensAreRefused) {
  const ByteRepresentation bytes;
  EXPECT_THAT(HeatMapHtml(bytes, std::vector<TraceRow>(kMaxHeatMapRows + 1), ""),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(HeatMapHtml(bytes, std::vector<TraceRow>{{.token = 257}}, ""),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("token 257")));
}

}  // namespace
}  // namespace clm
