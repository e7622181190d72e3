#include "core/text/pcre2_pretokenizer.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "core/text/pretokenizer.h"
#include "tests/core/text/split_pieces.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::EndsInSteps;
using ::clm::testing::EndsOf;
using ::clm::testing::MixedText;
using ::clm::testing::PiecesOf;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<const Pcre2Pretokenizer> Make(absl::string_view pattern) {
  absl::StatusOr<std::unique_ptr<const Pcre2Pretokenizer>> made = Pcre2Pretokenizer::Create(pattern);
  CLM_CHECK(made.ok());
  return *std::move(made);
}

TEST(Pcre2PretokenizerTest, PiecesAreMatchesAndWhatLiesBetween) {
  EXPECT_THAT(PiecesOf(*Make(R"(\p{N}{1,3})"), "a1234567b"), ElementsAre("a", "123", "456", "7", "b"));
  EXPECT_THAT(PiecesOf(*Make(R"(\w+|\s)"), "to be, or"), ElementsAre("to", " ", "be", ",", " ", "or"));
  EXPECT_THAT(PiecesOf(*Make("z"), "no match"), ElementsAre("no match"));
  EXPECT_THAT(PiecesOf(*Make("z"), ""), ElementsAre());
}

// As Hugging Face tokenizers 0.23.3 cuts them.
TEST(Pcre2PretokenizerTest, AMatchOfNothingEndsThePieceBeforeIt) {
  EXPECT_THAT(PiecesOf(*Make("(?=[A-Z])"), "abCDe"), ElementsAre("ab", "C", "De"));
  EXPECT_THAT(PiecesOf(*Make("x*"), "axxb"), ElementsAre("a", "xx", "b"));
}

TEST(Pcre2PretokenizerTest, CharacterTypesAreThoseOfTheOtherPrograms) {
  EXPECT_THAT(PiecesOf(*Make(R"(\s+)"), "a\xE1\xA0\x8E\xC2\x85 \x1C"),
              ElementsAre("a\xE1\xA0\x8E", "\xC2\x85 ", "\x1C"));
  EXPECT_THAT(PiecesOf(*Make(R"(\w+)"), "\xC3\xA9_1\xC2\xB2\xE2\x85\xA3\xE2\x92\xB6-\xE2\x80\x8D"),
              ElementsAre("\xC3\xA9_1\xC2\xB2\xE2\x85\xA3\xE2\x92\xB6", "-\xE2\x80\x8D"));
  // U+3006 is used with Han and not Han itself.
  EXPECT_THAT(PiecesOf(*Make(R"(\p{Han}+)"), "\xE6\xBC\xA2\xE3\x80\x86"), ElementsAre("\xE6\xBC\xA2", "\xE3\x80\x86"));
}

TEST(Pcre2PretokenizerTest, BytesThatAreNotUtf8AreSubstitutes) {
  EXPECT_THAT(PiecesOf(*Make(R"([^\s\p{L}]+)"), "a\xFF\xC3z"), ElementsAre("a", "\xFF\xC3", "z"));
  EXPECT_THAT(PiecesOf(*Make(R"(\x1A)"), "a\xF0\x9F\x98"), ElementsAre("a", "\xF0", "\x9F", "\x98"));
  EXPECT_THAT(PiecesOf(*Make(R"(\p{L}+)"), "a\xED\xA0\x80z"), ElementsAre("a", "\xED\xA0\x80", "z"));
}

TEST(Pcre2PretokenizerTest, AgreesWithTheHandWrittenPretokenizers) {
  for (const absl::string_view pattern : {kGpt2Pattern, kCl100kPattern, kQwen2Pattern, kO200kPattern}) {
    const std::unique_ptr<const Pcre2Pretokenizer> general = Make(pattern);
    ASSERT_OK_AND_ASSIGN(const auto known, MakePretokenizer(pattern));
    for (uint64_t round = 0; round < 1500; ++round) {
      const std::string text = MixedText(round, /*valid=*/round % 2 == 0);
      ASSERT_EQ(EndsOf(*general, text), EndsOf(*known, text)) << "round " << round << " of " << pattern;
    }
  }
}

TEST(Pcre2PretokenizerTest, PiecesDoNotDependOnHowTheTextIsCut) {
  constexpr std::array<absl::string_view, 10> kPatterns = {
      R"(\p{N}{1,3})",     R"(\s+(?!\S)|\s+)", R"((?i:'s|'re)|\p{L}+(?=\s)| ?\p{N})",
      "(?=[a-s])",         R"(.{1,4}|\n)",     "a+b",
      R"((?<=a)b|\p{L}+)", R"(\Aa+|[^a]+\z)",  R"(x*)",
      R"(\s+(?=\n|\z))"};
  for (const absl::string_view pattern : kPatterns) {
    const std::unique_ptr<const Pcre2Pretokenizer> pretokenizer = Make(pattern);
    for (uint64_t round = 0; round < 300; ++round) {
      const std::string text = MixedText(round, /*valid=*/round % 2 == 0);
      const std::vector<uint32_t> whole = EndsOf(*pretokenizer, text);
      ASSERT_EQ(whole.empty() ? 0 : whole.back(), text.size());
      ASSERT_EQ(EndsInSteps(*pretokenizer, text, 1), whole) << "round " << round << " of " << pattern;
      ASSERT_EQ(EndsInSteps(*pretokenizer, text, 7), whole) << "round " << round << " of " << pattern;
    }
  }
}

TEST(Pcre2PretokenizerTest, WhatLiesInAGapIsKnownBeforeTheGapEnds) {
  std::vector<uint32_t> ends;
  EXPECT_EQ(Make("[0-9]+")->SplitUpToGap("7abc", false, ends), 3U);
  EXPECT_THAT(ends, ElementsAre(1));
  ends.clear();
  EXPECT_EQ(Make("[0-9]+")->SplitUpToGap("abc7", false, ends), 3U);  // the 7 may go on
  EXPECT_EQ(Make("[0-9]+")->SplitUpToGap("abc\xC3", false, ends), 3U);
  EXPECT_EQ(Make("(?<=a)b")->SplitUpToGap("abc", false, ends), 0U);
  EXPECT_THAT(ends, ElementsAre());
}

TEST(Pcre2PretokenizerTest, AMatchThatCostsTooMuchLeavesOnePiece) {
  const std::unique_ptr<const Pcre2Pretokenizer> pretokenizer = Make("(?:a|aa)+c|b");
  const std::string text = "b" + std::string(100, 'a') + "bb";
  EXPECT_THAT(EndsOf(*pretokenizer, text), ElementsAre(1, text.size()));
  std::vector<uint32_t> ends;
  pretokenizer->Split(text, false, ends);
  EXPECT_THAT(ends, ElementsAre(1));
}

TEST(Pcre2PretokenizerTest, ThreadsShareIt) {
  const std::unique_ptr<const Pcre2Pretokenizer> pretokenizer = Make(kCl100kPattern);
  std::string text;
  for (uint64_t round = 0; round < 200; ++round) text += MixedText(round, true);
  const std::vector<uint32_t> want = EndsOf(*pretokenizer, text);
  std::array<std::vector<uint32_t>, 4> got;
  std::vector<std::thread> threads;
  for (std::vector<uint32_t>& ends : got) threads.emplace_back([&] { pretokenizer->Split(text, true, ends); });
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<uint32_t>& ends : got) EXPECT_EQ(ends, want);
}

TEST(Pcre2PretokenizerTest, RefusesPatternsByName) {
  const auto refused = [](absl::string_view pattern, const char* words) {
    EXPECT_THAT(Pcre2Pretokenizer::Create(pattern).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words)));
  };
  refused("", "split pattern is empty");
  refused("a(b", "ends within a (group)");
  refused("\\p{Hann}", "unknown property");
  refused("(?<=a+)b", "lookbehind");
  refused("[z-a]", "range out of order");
  refused("(?:(?:\\p{Han}{1000}){1000}){1000}", "too large");
}

}  // namespace
}  // namespace clm
