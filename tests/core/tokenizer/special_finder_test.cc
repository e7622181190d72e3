#include "core/tokenizer/special_finder.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace clm {
namespace {

const std::vector<BpeSpecial> kSpecials = {{300, "<a>"}, {301, "<a><b>"}, {302, "[x]"}};

TEST(SpecialFinderTest, LeftmostThenLongest) {
  const SpecialFinder finder(kSpecials);
  SpecialFinder::Match match = finder.Find("12<a><b>[x]", 0, true);
  EXPECT_EQ(match.position, 2);
  EXPECT_EQ(match.length, 6);
  EXPECT_EQ(match.id, 301);
  match = finder.Find("12<a><b>[x]", 3, true);
  EXPECT_EQ(match.position, 8);
  EXPECT_EQ(match.id, 302);
  match = finder.Find("<a", 0, true);
  EXPECT_EQ(match.length, 0);
  EXPECT_EQ(match.position, 2);
}

TEST(SpecialFinderTest, JudgesOnlyPlacesThatMoreTextCannotChange) {
  const SpecialFinder finder(kSpecials);
  EXPECT_EQ(finder.Find("12<a><", 0, false).length, 0);    // may become the longer one
  EXPECT_EQ(finder.Find("12<a><", 0, false).position, 1);  // six bytes from there on are not known yet
  EXPECT_EQ(finder.Find("12<a><c>", 0, false).id, 300);
  EXPECT_EQ(finder.Find("<", 0, false).position, 0);
  EXPECT_EQ(finder.Find("", 0, false).position, 0);
}

TEST(SpecialFinderTest, NothingIsFoundWithinWhatIsSkipped) {
  const std::vector<BpeSpecial> wanted = {{7, "b>"}, {8, ""}};
  const SpecialFinder finder(wanted, kSpecials);
  EXPECT_EQ(finder.Find("<a><b>b>", 0, true).position, 6);
  EXPECT_EQ(finder.Find("<a>b>", 0, true).position, 3);
  EXPECT_EQ(finder.Find("-<b>", 0, true).position, 2);
  EXPECT_EQ(finder.Find("12<a><b>", 0, false).length, 0);
  EXPECT_EQ(finder.Find("12<a><b>", 0, false).position, 8);  // nothing begins in what was passed over
}

TEST(SpecialFinderTest, OfTwoSpeltAlikeTheWantedOneIsFound) {
  const std::vector<BpeSpecial> wanted = {{7, "<a>"}};
  const SpecialFinder finder(wanted, kSpecials);
  EXPECT_EQ(finder.Find("1<a>", 0, true).id, 7U);
}

}  // namespace
}  // namespace clm
