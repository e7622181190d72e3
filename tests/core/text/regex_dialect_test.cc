#include "core/text/regex_dialect.h"

#include <gtest/gtest.h>

#include <string>

#include "core/text/pretokenizer.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

void ExpectShared(absl::string_view pattern, RegexDialect dialect, absl::string_view shared) {
  const absl::StatusOr<std::string> got = ToSharedRegex(pattern, dialect);
  ASSERT_OK(got) << pattern;
  EXPECT_EQ(*got, shared);
  EXPECT_OK(ToPcre2Regex(*got)) << *got;
}

void ExpectPcre2(absl::string_view pattern, absl::string_view want) {
  const absl::StatusOr<std::string> got = ToPcre2Regex(pattern);
  ASSERT_OK(got) << pattern;
  EXPECT_EQ(*got, want);
}

TEST(RegexDialectTest, KnownPatternsAreTheSameInEveryDialect) {
  for (const absl::string_view pattern : {kGpt2Pattern, kCl100kPattern, kQwen2Pattern, kO200kPattern}) {
    for (const RegexDialect dialect : {RegexDialect::kShared, RegexDialect::kTokenizers, RegexDialect::kTiktoken}) {
      ExpectShared(pattern, dialect, pattern);
    }
  }
}

TEST(RegexDialectTest, APossessiveRangeRepeatsInTokenizersOnly) {
  ExpectShared(R"(a\p{N}{1,3}+|b)", RegexDialect::kTokenizers, R"(a(?:\p{N}{1,3})+|b)");
  ExpectShared(R"(a\p{N}{1,3}+|b)", RegexDialect::kTiktoken, R"(a(?>\p{N}{1,3})|b)");
  ExpectShared("x(?:ab[c-e]){2}+y", RegexDialect::kTiktoken, "x(?>(?:ab[c-e]){2})y");
  ExpectShared("x[ab]{2,}+[cd]{3}+", RegexDialect::kTiktoken, "x(?>[ab]{2,})(?>[cd]{3})");
  EXPECT_THAT(
      ToSharedRegex("ab{1,3}+", RegexDialect::kShared).status(),
      StatusIs(kInvalid, HasSubstr("{n,m}+ means different things to different programs; write (?>...{n,m}), at "
                                   "offset 2")));
}

TEST(RegexDialectTest, LineAnchorsMeanWhatTheirProgramTakesThemFor) {
  ExpectShared(R"(\s+$|[$^a]\$)", RegexDialect::kTokenizers, R"(\s+(?=\n|\z)|[$^a]\$)");
  ExpectShared(R"(^a|\s++$)", RegexDialect::kTiktoken, R"(\Aa|\s++\z)");
  EXPECT_THAT(ToSharedRegex("^a", RegexDialect::kTokenizers).status(), StatusIs(kInvalid, HasSubstr("at every line")));
  EXPECT_THAT(ToSharedRegex("a$", RegexDialect::kShared).status(), StatusIs(kInvalid, HasSubstr("^ and $ mean")));
}

TEST(RegexDialectTest, PropertiesWithoutBracesAreTiktokensAlone) {
  ExpectShared(R"(\pL+[\PN])", RegexDialect::kTiktoken, R"(\p{L}+[\P{N}])");
  EXPECT_THAT(ToSharedRegex("\\pL", RegexDialect::kTokenizers).status(), StatusIs(kInvalid, HasSubstr("braces")));
}

TEST(RegexDialectTest, WordsAreThoseOfTokenizers) {
  ExpectShared(R"(\w+[\w]\W)", RegexDialect::kTokenizers, R"(\w+[\w]\W)");
  EXPECT_THAT(ToSharedRegex("\\w", RegexDialect::kTiktoken).status(), StatusIs(kInvalid, HasSubstr("joiners")));
  EXPECT_THAT(ToSharedRegex("[\\w]", RegexDialect::kTiktoken).status(), StatusIs(kInvalid, HasSubstr("joiners")));
}

TEST(RegexDialectTest, TellsPcre2WhatItWouldTakeForSomethingElse) {
  ExpectPcre2("a.\\.", R"(\x{61}[^\n]\x{2E})");
  ExpectPcre2(R"(\S[\s\d]\v)", R"([^\x{9}-\x{D}\x{20}\x{85}\p{Z}][\x{9}-\x{D}\x{20}\x{85}\p{Z}\p{Nd}]\x{B})");
  ExpectPcre2(R"([\w])", R"([\p{Alphabetic}\p{M}\p{Nd}\p{Pc}])");
  ExpectPcre2(R"(\w[^\D])", R"([\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE}][^\P{Nd}])");
  ExpectPcre2(R"([^(\s|[.,-]-])", R"([^\x{28}\x{9}-\x{D}\x{20}\x{85}\p{Z}\x{7C}\x{2E}\x{2C}\-\-])");
  ExpectPcre2(R"(\p{Han}\p{Letter}\P{uppercase_letter}\p{nd}\p{Lu})", R"(\p{sc:Han}\p{L}\P{Lu}\p{Nd}\p{Lu})");
  ExpectPcre2("\\u00e9\xC3\xA9", R"(\x{E9}\x{E9})");
}

}  // namespace
}  // namespace clm
