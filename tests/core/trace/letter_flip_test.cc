#include "core/trace/letter_flip.h"

#include "core/base/rng.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

TEST(LetterFlipTest, TheLetterAfterFullStopAndSpaceIsSwapped) {
  EXPECT_EQ(FlipLetters("One. Two.\n\tthree. 4 Five.Six. . Seven"), "One. two.\n\tThree. 4 Five.Six. . seven");
}

TEST(LetterFlipTest, OnlyFullStopsAndLettersCount) {
  EXPECT_EQ(FlipLetters("A! B? C: D. \"E. (F ...G"), "A! B? C: D. \"E. (F ...G");
  EXPECT_EQ(FlipLetters("a. \xC3\x84 b"), "a. \xC3\x84 b");  // no ASCII letter
}

TEST(LetterFlipTest, WhiteSpaceOfSeveralBytesCounts) {
  for (const char* space :
       {"\x1C", "\xC2\x85", "\xC2\xA0", "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x8A", "\xE2\x80\xA8", "\xE2\x80\xA9",
        "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80", " \xC2\xA0\n"}) {
    EXPECT_EQ(FlipLetters(std::string("x.") + space + "Abc"), std::string("x.") + space + "abc");
  }
  for (const char* other :
       {"", "\xC2", "\xC2\x86", "\xE2\x80", "\xE2\x80\x8B", "\xE2\x80\xAA", " \xE3\x80", "\x85", "\xC2 "}) {
    EXPECT_EQ(FlipLetters(std::string("x.") + other + "Abc"), std::string("x.") + other + "Abc");
  }
}

TEST(LetterFlipTest, TwiceGivesAnyBytesBackHoweverTheyAreCut) {
  const std::string alphabet = std::string(". \n.aZ\xC2\xA0\x85\xE2\x80\x8A\xE3", 14) + '\0';
  for (uint64_t round = 0; round < 500; ++round) {
    CounterRng rng(round, "flip", 0);
    std::string text(rng.NextBelow(200), '\0');
    for (char& c : text) {
      c = rng.NextBelow(8) == 0 ? static_cast<char>(static_cast<uint8_t>(rng.NextU32()))
                                : alphabet[rng.NextBelow(alphabet.size())];
    }
    const std::string flipped = FlipLetters(text);
    ASSERT_EQ(FlipLetters(flipped), text) << "round " << round;
    LetterFlip flip;
    std::string pieces;
    for (size_t at = 0; at < text.size();) {
      const size_t length = 1 + rng.NextBelow(5);
      pieces += flip.Push(absl::string_view(text).substr(at, length));
      at += length;
    }
    ASSERT_EQ(pieces, flipped) << "round " << round;
  }
}

TEST(LetterFlipTest, LettersAreCounted) {
  LetterFlip flip;
  flip.Push("One. Two. thr");
  flip.Push("ee.\n");
  flip.Push("Four");
  EXPECT_EQ(flip.flipped(), 3U);
}

}  // namespace
}  // namespace clm
