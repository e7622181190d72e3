#include "core/text/char_class.h"

#include <gtest/gtest.h>

#include <string>

namespace clm {
namespace {

TEST(ClassOfTest, KnownCharacters) {
  for (const uint32_t c : {uint32_t{'Z'}, 0x416U, 0x1C5U, 0x1D400U}) EXPECT_EQ(ClassOf(c), CharClass::kUpper) << c;
  for (const uint32_t c : {uint32_t{'a'}, 0xE9U, 0x436U, 0x17FU}) EXPECT_EQ(ClassOf(c), CharClass::kLower) << c;
  for (const uint32_t c : {0xAAU, 0x2B0U, 0x5D0U, 0x4E2DU}) EXPECT_EQ(ClassOf(c), CharClass::kCaseless) << c;
  for (const uint32_t c : {0x301U, 0x903U, 0x20DDU}) EXPECT_EQ(ClassOf(c), CharClass::kMark) << c;
  for (const uint32_t c : {uint32_t{'0'}, 0xB2U, 0xBDU, 0x663U, 0x2160U, 0x1D7D8U}) {
    EXPECT_EQ(ClassOf(c), CharClass::kNumber) << c;
  }
  // Symbols, the Mongolian vowel separator (a space until Unicode 6.3), zero-width space, an unassigned one.
  for (const uint32_t c : {uint32_t{'_'}, uint32_t{'\''}, 0U, 0x7FU, 0x180EU, 0x200BU, 0xFEFFU, 0x1F600U, 0x378U}) {
    EXPECT_EQ(ClassOf(c), CharClass::kOther) << c;
  }
}

// Unicode's PropList.txt lists 25 code points as White_Space.
TEST(ClassOfTest, ExactlyTwentyFiveSpaces) {
  int spaces = 0;
  for (uint32_t c = 0; c <= 0x10FFFF; ++c) spaces += ClassOf(c) == CharClass::kSpace ? 1 : 0;
  EXPECT_EQ(spaces, 25);
  for (const uint32_t c :
       {0x09U, 0x0DU, 0x20U, 0x85U, 0xA0U, 0x1680U, 0x2000U, 0x200AU, 0x2028U, 0x2029U, 0x202FU, 0x205FU, 0x3000U}) {
    EXPECT_EQ(ClassOf(c), CharClass::kSpace) << c;
  }
}

TEST(UnicodeVersionTest, IsFourteenOrLater) { EXPECT_GE(std::stoi(std::string(UnicodeVersion())), 14); }

TEST(IsLetterTest, LettersAndSymbolsAreDisjoint) {
  for (const CharClass letter : {CharClass::kUpper, CharClass::kLower, CharClass::kCaseless}) {
    EXPECT_TRUE(IsLetter(letter));
    EXPECT_FALSE(IsSymbol(letter));
  }
  for (const CharClass symbol : {CharClass::kOther, CharClass::kMark}) {
    EXPECT_FALSE(IsLetter(symbol));
    EXPECT_TRUE(IsSymbol(symbol));
  }
  for (const CharClass neither : {CharClass::kSpace, CharClass::kNumber}) {
    EXPECT_FALSE(IsLetter(neither));
    EXPECT_FALSE(IsSymbol(neither));
  }
}

}  // namespace
}  // namespace clm
