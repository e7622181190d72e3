#include "core/text/pretokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/text/char_class.h"
#include "tests/core/text/encode_utf8.h"
#include "tests/core/text/pattern_text.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::EncodeUtf8;
using ::clm::testing::RandomPatternText;
using ::clm::testing::RegexSplitter;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::unique_ptr<const Pretokenizer> Make(absl::string_view pattern) {
  absl::StatusOr<std::unique_ptr<const Pretokenizer>> made = MakePretokenizer(pattern);
  CLM_CHECK(made.ok());
  return *std::move(made);
}

std::vector<uint32_t> EndsOf(const Pretokenizer& pretokenizer, absl::string_view text) {
  std::vector<uint32_t> ends;
  pretokenizer.Split(text, true, ends);
  return ends;
}

std::vector<std::string> PiecesOf(absl::string_view pattern, absl::string_view text) {
  std::vector<std::string> pieces;
  size_t begin = 0;
  for (const uint32_t end : EndsOf(*Make(pattern), text)) {
    pieces.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  EXPECT_EQ(begin, text.size());
  return pieces;
}

// Pieces that Split calls settled, fed `step` bytes at a time, resuming as a streaming caller does.
std::vector<uint32_t> EndsInSteps(const Pretokenizer& pretokenizer, absl::string_view text, size_t step) {
  std::vector<uint32_t> all;
  size_t begin = 0;
  for (size_t size = 0; size < text.size();) {
    size = std::min(size + step, text.size());
    std::vector<uint32_t> ends;
    pretokenizer.Split(text.substr(begin, size - begin), size == text.size(), ends);
    for (const uint32_t end : ends) all.push_back(static_cast<uint32_t>(begin) + end);
    if (!ends.empty()) begin += ends.back();
  }
  return all;
}

class KnownPatternTest : public ::testing::TestWithParam<absl::string_view> {};

TEST_P(KnownPatternTest, CutsShortTextsAsTheRegularExpressionDoes) {
  const std::unique_ptr<const Pretokenizer> pretokenizer = Make(GetParam());
  const RegexSplitter regex(GetParam());
  for (uint64_t round = 0; round < 5'000; ++round) {
    const std::string text = RandomPatternText(round, 24, true);
    ASSERT_EQ(EndsOf(*pretokenizer, text), regex.Ends(text)) << "round " << round << ": " << text;
  }
}

TEST_P(KnownPatternTest, CutsTextsOfSeveralWindowsAsTheRegularExpressionDoes) {
  const std::unique_ptr<const Pretokenizer> pretokenizer = Make(GetParam());
  const RegexSplitter regex(GetParam());
  for (uint64_t round = 0; round < 60; ++round) {
    const std::string text = RandomPatternText(round, 12'000, true);
    ASSERT_EQ(EndsOf(*pretokenizer, text), regex.Ends(text)) << "round " << round;
  }
}

TEST_P(KnownPatternTest, AgreesWithTheRegularExpressionOnEveryCharacter) {
  const std::unique_ptr<const Pretokenizer> pretokenizer = Make(GetParam());
  const RegexSplitter regex(GetParam());
  for (uint32_t c = 0; c < 0x20000; ++c) {
    if (c == 0x180E || (c >= 0xD800 && c <= 0xDFFF)) continue;  // U+180E was a space in older versions of Unicode
    const std::string character = EncodeUtf8(c);
    if (!regex.Knows(character)) continue;
    // After a letter, a digit, a mark and a space: its class decides all cuts.
    const std::string text = "a" + character + "0" + character + "." + character + " " + character + "A" + character;
    ASSERT_EQ(EndsOf(*pretokenizer, text), regex.Ends(text)) << "code point " << c;
  }
}

TEST_P(KnownPatternTest, SettledPiecesDoNotDependOnTheCuts) {
  const std::unique_ptr<const Pretokenizer> pretokenizer = Make(GetParam());
  for (uint64_t round = 0; round < 300; ++round) {
    const std::string text = RandomPatternText(round, 60, false);
    const std::vector<uint32_t> want = EndsOf(*pretokenizer, text);
    for (const size_t step : {size_t{1}, size_t{3}, size_t{40}}) {
      ASSERT_EQ(EndsInSteps(*pretokenizer, text, step), want) << "round " << round << " step " << step;
    }
  }
}

TEST_P(KnownPatternTest, LongRunsAreOnePieceOrRuleSizedOnes) {
  const std::unique_ptr<const Pretokenizer> pretokenizer = Make(GetParam());
  for (const absl::string_view unit : {"a", ".", " ", "\n", "\xE4\xB8\xAD", "\xE3\x80\x80"}) {
    std::string text;
    while (text.size() < 100'000) text.append(unit.data(), unit.size());
    EXPECT_THAT(EndsOf(*pretokenizer, text), ElementsAre(text.size())) << unit;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, KnownPatternTest,
    ::testing::Values(
        kGpt2Pattern, R"('(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s)",
        kCl100kPattern,
        R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)",
        kQwen2Pattern, kO200kPattern));

TEST(PretokenizerTest, CutsWordsNumbersMarksAndSpaces) {
  EXPECT_THAT(PiecesOf(kGpt2Pattern, ""), ElementsAre());
  EXPECT_THAT(PiecesOf(kGpt2Pattern, "Hello world's  end!! 42x"),
              ElementsAre("Hello", " world", "'s", " ", " end", "!!", " 42", "x"));
  EXPECT_THAT(PiecesOf(kGpt2Pattern, "we'll they'RE it'"), ElementsAre("we", "'ll", " they", "'", "RE", " it", "'"));
  EXPECT_THAT(PiecesOf(kGpt2Pattern, "a \n\n b\n"), ElementsAre("a", " \n\n", " b", "\n"));
  EXPECT_THAT(PiecesOf(kCl100kPattern, "we'll they'RE (it) 12345;\n\n\tx"),
              ElementsAre("we", "'ll", " they", "'RE", " (", "it", ")", " ", "123", "45", ";\n\n", "\tx"));
  EXPECT_THAT(PiecesOf(kQwen2Pattern, "a 12"), ElementsAre("a", " ", "1", "2"));
  EXPECT_THAT(PiecesOf(kO200kPattern, "camelCase we'll don't's x;\n// HTMLParser"),
              ElementsAre("camel", "Case", " we'll", " don't", "'s", " x", ";\n//", " HTMLParser"));
}

TEST(PretokenizerTest, InvalidBytesAreMarks) {
  EXPECT_THAT(PiecesOf(kGpt2Pattern, "ab\xFF\xC3(c \x80"), ElementsAre("ab", "\xFF\xC3(", "c", " \x80"));
  EXPECT_THAT(PiecesOf(kGpt2Pattern, "\xE2\x82"), ElementsAre("\xE2\x82"));
  EXPECT_THAT(PiecesOf(kGpt2Pattern, "a\xE2\x82\xAC\xE2\x82"), ElementsAre("a", "\xE2\x82\xAC\xE2\x82"));
}

TEST(PretokenizerTest, APieceSettlesOnceTheTextBehindItTells) {
  const std::unique_ptr<const Pretokenizer> pretokenizer = Make(kGpt2Pattern);
  std::vector<uint32_t> ends;
  pretokenizer->Split("abc", false, ends);
  EXPECT_THAT(ends, ElementsAre());
  pretokenizer->Split("abc defghijklmnopqrstuvwxyz", false, ends);
  EXPECT_THAT(ends, ElementsAre(3));
  ends.clear();
  pretokenizer->Split("abc" + std::string(10'000, ' '), false, ends);
  EXPECT_THAT(ends, ElementsAre(3));
}

TEST(WholeDocumentPretokenizerTest, ADocumentIsOnePiece) {
  const std::unique_ptr<const Pretokenizer> pretokenizer = Make(kWholeDocumentPattern);
  EXPECT_EQ(pretokenizer->pattern(), "");
  EXPECT_THAT(EndsOf(*pretokenizer, ""), ElementsAre());
  EXPECT_THAT(EndsOf(*pretokenizer, "a b c"), ElementsAre(5));
  EXPECT_THAT(EndsInSteps(*pretokenizer, "a b c", 1), ElementsAre(5));
}

TEST(MakePretokenizerTest, ReadsAnyPatternOrNamesWhatIsWrong) {
  ASSERT_OK_AND_ASSIGN(const auto words, MakePretokenizer(R"(\w+|\s)"));
  EXPECT_THAT(EndsOf(*words, "to be"), ElementsAre(2, 3, 5));
  EXPECT_THAT(MakePretokenizer(R"(\b\w+)").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(R"(at offset 0 "\\b\\w+")")));
  const std::string long_pattern(100'000, 'x');
  EXPECT_LT(MakePretokenizer(long_pattern).status().message().size(), 500);
}

}  // namespace
}  // namespace clm
