#include "core/text/regex_lexer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/rng.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kTooMuch = absl::StatusCode::kResourceExhausted;

std::vector<std::string> PartsOf(absl::string_view pattern) {
  std::vector<std::string> parts;
  const absl::StatusOr<std::vector<RegexToken>> tokens = LexRegex(pattern);
  EXPECT_OK(tokens) << pattern;
  if (!tokens.ok()) return parts;
  for (const RegexToken& token : *tokens) parts.emplace_back(pattern.substr(token.begin, token.end - token.begin));
  return parts;
}

void ExpectRefused(absl::string_view pattern, const char* words, absl::StatusCode code = kInvalid) {
  EXPECT_THAT(LexRegex(pattern).status(), StatusIs(code, HasSubstr(words))) << pattern;
}

TEST(RegexLexerTest, CutsAPatternIntoItsParts) {
  EXPECT_THAT(PartsOf(R"((?i:'s|\x{1F600})|[^\r-\u00e9\p{L}[.-]]?+\s{1,3}$)"),
              ElementsAre("(?i:", "'", "s", "|", "\\x{1F600}", ")", "|", "[^", "\\r", "-", "\\u00e9", "\\p{L}", "[",
                          ".", "-", "]", "]", "?+", "\\s", "{1,3}", "$"));
  EXPECT_THAT(PartsOf("(?i)a(b)(?>c)(?=d)(?!e)(?<=f)(?<!g)(?-i:h)}"),
              ElementsAre("(?i)", "a", "(", "b", ")", "(?>", "c", ")", "(?=", "d", ")", "(?!", "e", ")", "(?<=", "f",
                          ")", "(?<!", "g", ")", "(?-i:", "h", ")", "}"));
}

TEST(RegexLexerTest, KnowsWhatIsInAClass) {
  ASSERT_OK_AND_ASSIGN(const std::vector<RegexToken> tokens, LexRegex("\\x41[a-b[-\xC3\xA9]]"));
  ASSERT_EQ(tokens.size(), 10U);
  EXPECT_EQ(tokens[0].code_point, 0x41U);
  EXPECT_FALSE(tokens[1].in_class);
  EXPECT_EQ(tokens[3].part, RegexPart::kRangeDash);
  EXPECT_EQ(tokens[5].part, RegexPart::kClassBegin);
  EXPECT_TRUE(tokens[5].in_class);
  EXPECT_EQ(tokens[6].part, RegexPart::kDash);
  EXPECT_EQ(tokens[7].code_point, 0xE9U);
  EXPECT_TRUE(tokens[8].in_class);
  EXPECT_FALSE(tokens[9].in_class);
}

TEST(RegexLexerTest, RefusesWhatProgramsUnderstandDifferently) {
  ExpectRefused("a\\bc", "this escape is not supported, at offset 1 \"\\\\bc\"");
  for (const char* escape : {"\\h", "\\R", "\\X", "\\K", "\\G", "\\Z", "\\1", "\\k", "\\C", "\\Q", "\\<", "[\\b]"}) {
    ExpectRefused(escape, "this escape is not supported");
  }
  for (const char* group : {"(?<n>a)", "(?P<n>a)", "(?m:a)", "(?x)a", "(?#a)", "(?R)", "(*FAIL)", "(?(1)a)", "(?|a)"}) {
    ExpectRefused(group, "this kind of group is not supported");
  }
  ExpectRefused("a(?i)b", "(?i) that is not the first thing");
  ExpectRefused("[[:alpha:]]", "POSIX class");
  ExpectRefused("[a[^b]]", "negated class within a class");
  ExpectRefused("[]a]", "a ] right after [");
  ExpectRefused("[^]a]", "a ] right after [");
  for (const char* operation : {"[a&&b]", "[a--b]", "[a~~b]"}) ExpectRefused(operation, "set operations in a class");
  for (const char* dash : {"[a-c-e]", "[\\s-e]", "[a-\\s]", "[a-[b]]", "[a-b-\\w]"})
    ExpectRefused(dash, "a - in a class");
  ExpectRefused("[\\S]", "\\S and \\W in a class");
  ExpectRefused("a{2}?", "{n}? means different things");
}

TEST(RegexLexerTest, RefusesBrokenPatterns) {
  ExpectRefused("(a", "ends within a (group)");
  ExpectRefused("a)", "a ) without a (");
  ExpectRefused("[a", "ends within a [class]");
  ExpectRefused("[a-", "a - in a class");
  ExpectRefused("a\\", "ends with a \\");
  for (const char* pattern : {"*", "a|+", "(?:?a)", "a**", "a+?*", "\\A+", "{2}"}) {
    ExpectRefused(pattern, "a quantifier with nothing to repeat");
  }
  for (const char* pattern : {"a{", "a{x}", "a{,3}", "a{1,2,3}", "a{-1}", "a{ 1}"}) {
    ExpectRefused(pattern, "a { that is not escaped");
  }
  ExpectRefused("a{3,2}", "n above m");
  for (const char* pattern : {"\\x4", "\\x{}", "\\x{1234567}", "\\u12", "\\x{41"})
    ExpectRefused(pattern, "\\x and \\u need");
  ExpectRefused("\\x{110000}", "no character has this number");
  ExpectRefused("\\uD800", "no character has this number");
  ExpectRefused("\\xE9", "is a byte, not a character");
  for (const char* pattern : {"\\p", "\\p{", "\\p{}", "\\p{^L}", "\\p{sc=Han}", "\\p1"})
    ExpectRefused(pattern, "\\p needs");
  ExpectRefused("a\xFF", "invalid UTF-8 at offset 1");
}

TEST(RegexLexerTest, RefusesSizesOverTheLimits) {
  ExpectRefused(std::string(kMaxRegexBytes + 1, 'a'), "8193 bytes; limit 8192", kTooMuch);
  ExpectRefused(std::string(kMaxRegexDepth + 1, '('), "groups nested deeper than 32 at offset 32", kTooMuch);
  ExpectRefused("[" + std::string(2 * kMaxRegexDepth, '['), "classes nested deeper than 32", kTooMuch);
  ExpectRefused("a{1001}", "repeat count above 1000 at offset 1", kTooMuch);
  ExpectRefused("a{99999999999999999999}", "repeat count above 1000", kTooMuch);
}

TEST(RegexLexerTest, AnyBytesAreReadOrRefused) {
  const std::string alphabet = "a[]()-^$|\\?*+{}1,.:spPx\xC3\xA9&!<=i";
  for (uint64_t round = 0; round < 20'000; ++round) {
    CounterRng rng(3, "regex_lexer_test", round);
    std::string pattern;
    for (uint64_t i = rng.NextBelow(16); i > 0; --i) pattern.push_back(alphabet[rng.NextBelow(alphabet.size())]);
    const absl::StatusOr<std::vector<RegexToken>> tokens = LexRegex(pattern);
    if (!tokens.ok()) continue;
    size_t position = 0;  // the parts cover the pattern
    for (const RegexToken& token : *tokens) {
      ASSERT_EQ(token.begin, position) << pattern;
      position = token.end;
    }
    ASSERT_EQ(position, pattern.size()) << pattern;
  }
}

}  // namespace
}  // namespace clm
