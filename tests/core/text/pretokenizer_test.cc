#include "core/text/pretokenizer.h"

#include <gtest/gtest.h>

#define PCRE2_CODE_UNIT_WIDTH 8  // NOLINT: PCRE2 demands this name
#include <pcre2.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "tests/core/text/encode_utf8.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::EncodeUtf8;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<const Pretokenizer> Make(absl::string_view pattern) {
  absl::StatusOr<std::unique_ptr<const Pretokenizer>> made = MakePretokenizer(pattern);
  CLM_CHECK(made.ok());
  return *std::move(made);
}

std::vector<size_t> EndsOf(const Pretokenizer& pretokenizer, absl::string_view text) {
  std::vector<size_t> ends;
  EXPECT_EQ(pretokenizer.Split(text, true, 0, ends), 0);
  return ends;
}

std::vector<std::string> PiecesOf(absl::string_view text) {
  std::vector<std::string> pieces;
  size_t begin = 0;
  for (const size_t end : EndsOf(*Make(kGpt2Pattern), text)) {
    pieces.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  EXPECT_EQ(begin, text.size());
  return pieces;
}

// The slow twin: PCRE2 with the pattern itself. For valid UTF-8 without U+180E, which PCRE2's \s takes for a space.
class RegexSplitter {
 public:
  RegexSplitter() : code_(Compile(kGpt2Pattern)), unassigned_(Compile(R"(\p{Cn})")) {
    match_ = pcre2_match_data_create(4, nullptr);
  }
  ~RegexSplitter() {
    pcre2_match_data_free(match_);
    pcre2_code_free(unassigned_);
    pcre2_code_free(code_);
  }
  RegexSplitter(const RegexSplitter&) = delete;
  RegexSplitter& operator=(const RegexSplitter&) = delete;

  std::vector<size_t> Ends(const std::string& text) const {
    std::vector<size_t> ends;
    for (size_t begin = 0; begin < text.size(); begin = ends.back()) {
      CLM_CHECK(Matches(code_, text, begin));
      ends.push_back(pcre2_get_ovector_pointer(match_)[1]);
    }
    return ends;
  }

  // False for what its version of Unicode, which need not be ours, does not assign.
  bool Knows(const std::string& character) const { return !Matches(unassigned_, character, 0); }

 private:
  static pcre2_code* Compile(absl::string_view pattern) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                     PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr);
    CLM_CHECK(code != nullptr);
    return code;
  }
  bool Matches(const pcre2_code* code, const std::string& text, size_t begin) const {
    return pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), begin, PCRE2_ANCHORED, match_,
                       nullptr) > 0;
  }

  pcre2_code* code_;
  pcre2_code* unassigned_;
  pcre2_match_data* match_ = nullptr;
};

// Text in which every branch of the pattern is frequent.
std::string RandomText(uint64_t seed, bool valid) {
  static const std::vector<std::string> kUnits = {"a",
                                                  "b",
                                                  "s",
                                                  "t",
                                                  "re",
                                                  "ve",
                                                  "ll",
                                                  "d",
                                                  "m",
                                                  "r",
                                                  "l",
                                                  "v",
                                                  "'",
                                                  "'",
                                                  "'",
                                                  " ",
                                                  " ",
                                                  " ",
                                                  "\n",
                                                  "\t",
                                                  "0",
                                                  "7",
                                                  ".",
                                                  "!",
                                                  "\xC3\xA9",
                                                  "\xD0\x96",
                                                  "\xCC\x81",
                                                  "\xC2\xA0",
                                                  "\xC2\xB2",
                                                  "\xE4\xB8\xAD",
                                                  "\xE3\x80\x80",
                                                  "\xE2\x80\x8B",
                                                  "\xF0\x9F\x98\x80",
                                                  "\xC2\x85",
                                                  "\xE2\x85\xA0"};
  static const std::vector<std::string> kBroken = {"\xFF", "\xC3", "\xE2\x82", "\x80", "\xF0\x9F\x98", "\xED\xA0\x80"};
  CounterRng rng(20260301, "pretokenizer_test", seed);
  std::string text;
  const uint64_t length = rng.NextBelow(24);
  for (uint64_t i = 0; i < length; ++i) {
    const bool broken = !valid && rng.NextBelow(4) == 0;
    const std::vector<std::string>& units = broken ? kBroken : kUnits;
    text += units[rng.NextBelow(units.size())];
  }
  return text;
}

TEST(Gpt2PretokenizerTest, CutsAsTheRegularExpressionDoes) {
  const std::unique_ptr<const Pretokenizer> pretokenizer = Make(kGpt2Pattern);
  const RegexSplitter regex;
  for (uint64_t round = 0; round < 20'000; ++round) {
    const std::string text = RandomText(round, true);
    ASSERT_EQ(EndsOf(*pretokenizer, text), regex.Ends(text)) << "round " << round << ": " << text;
  }
}

TEST(Gpt2PretokenizerTest, AgreesWithTheRegularExpressionOnEveryCharacter) {
  const std::unique_ptr<const Pretokenizer> pretokenizer = Make(kGpt2Pattern);
  const RegexSplitter regex;
  for (uint32_t c = 0; c < 0x20000; ++c) {
    if (c == 0x180E || (c >= 0xD800 && c <= 0xDFFF)) continue;
    const std::string character = EncodeUtf8(c);
    if (!regex.Knows(character)) continue;
    // After a letter, a digit, a mark and a space: its class decides all four cuts.
    const std::string text = "a" + character + "0" + character + "." + character + " " + character;
    ASSERT_EQ(EndsOf(*pretokenizer, text), regex.Ends(text)) << "code point " << c;
  }
}

TEST(Gpt2PretokenizerTest, CutsWordsNumbersMarksAndSpaces) {
  EXPECT_THAT(PiecesOf(""), ElementsAre());
  EXPECT_THAT(PiecesOf("Hello world's  end!! 42x"),
              ElementsAre("Hello", " world", "'s", " ", " end", "!!", " 42", "x"));
  EXPECT_THAT(PiecesOf("we'll they'RE it'"), ElementsAre("we", "'ll", " they", "'", "RE", " it", "'"));
  EXPECT_THAT(PiecesOf("a \n\n b\n"), ElementsAre("a", " \n\n", " b", "\n"));
  EXPECT_THAT(PiecesOf("\nx  "), ElementsAre("\n", "x", "  "));
}

TEST(Gpt2PretokenizerTest, InvalidBytesAreMarks) {
  EXPECT_THAT(PiecesOf("ab\xFF\xC3(c \x80"), ElementsAre("ab", "\xFF\xC3(", "c", " \x80"));
  EXPECT_THAT(PiecesOf("\xE2\x82"), ElementsAre("\xE2\x82"));
  EXPECT_THAT(PiecesOf("a\xE2\x82\xAC\xE2\x82"), ElementsAre("a", "\xE2\x82\xAC\xE2\x82"));
}

// Pieces that Split calls settled, fed `step` bytes at a time, resuming as a streaming caller does.
std::vector<size_t> EndsInSteps(const Pretokenizer& pretokenizer, absl::string_view text, size_t step) {
  std::vector<size_t> all;
  size_t begin = 0;
  size_t open = 0;
  for (size_t size = 0; size < text.size();) {
    size = std::min(size + step, text.size());
    std::vector<size_t> ends;
    open = pretokenizer.Split(text.substr(begin, size - begin), size == text.size(), open, ends);
    for (const size_t end : ends) all.push_back(begin + end);
    if (!ends.empty()) begin += ends.back();
  }
  return all;
}

TEST(Gpt2PretokenizerTest, SettledPiecesDoNotDependOnTheCuts) {
  const std::unique_ptr<const Pretokenizer> pretokenizer = Make(kGpt2Pattern);
  for (uint64_t round = 0; round < 4'000; ++round) {
    const std::string text = RandomText(round, false);
    const std::vector<size_t> want = EndsOf(*pretokenizer, text);
    for (size_t step = 1; step <= 5; ++step) {
      ASSERT_EQ(EndsInSteps(*pretokenizer, text, step), want) << "round " << round << " step " << step;
    }
  }
}

TEST(Gpt2PretokenizerTest, APieceSettlesWithTheCharacterBehindIt) {
  const std::unique_ptr<const Pretokenizer> pretokenizer = Make(kGpt2Pattern);
  std::vector<size_t> ends;
  EXPECT_EQ(pretokenizer->Split("abc", false, 0, ends), 3);
  EXPECT_THAT(ends, ElementsAre());
  EXPECT_EQ(pretokenizer->Split("abc d", false, 3, ends), 2);
  EXPECT_THAT(ends, ElementsAre(3));
  ends.clear();
  EXPECT_EQ(pretokenizer->Split("it'r", false, 0, ends), 0);  // 're is still possible
  EXPECT_THAT(ends, ElementsAre(2));
  ends.clear();
  EXPECT_EQ(pretokenizer->Split("ab\xE2\x82", false, 0, ends), 2);  // a letter may come of it
  EXPECT_THAT(ends, ElementsAre());
}

// Reading a run anew for each byte that comes would take 5 * 10^11 steps here.
TEST(Gpt2PretokenizerTest, AMegabyteOfOneLetterInSmallStepsIsReadOnce) {
  const std::string text(1'000'000, 'a');
  EXPECT_THAT(EndsInSteps(*Make(kGpt2Pattern), text, 1), ElementsAre(text.size()));
}

TEST(WholeDocumentPretokenizerTest, ADocumentIsOnePiece) {
  const std::unique_ptr<const Pretokenizer> pretokenizer = Make(kWholeDocumentPattern);
  EXPECT_EQ(pretokenizer->pattern(), "");
  EXPECT_THAT(EndsOf(*pretokenizer, ""), ElementsAre());
  EXPECT_THAT(EndsOf(*pretokenizer, "a b c"), ElementsAre(5));
  EXPECT_THAT(EndsInSteps(*pretokenizer, "a b c", 1), ElementsAre(5));
}

TEST(MakePretokenizerTest, RefusesOtherPatternsByName) {
  EXPECT_THAT(MakePretokenizer(R"(\w+|\s)").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(R"("\\w+|\\s")")));
  const std::string long_pattern(100'000, 'x');
  EXPECT_LT(MakePretokenizer(long_pattern).status().message().size(), 500);
}

}  // namespace
}  // namespace clm
