#include "core/text/split_rules.h"

#include <gtest/gtest.h>

#include <string>

#include "core/text/pretokenizer.h"
#include "core/text/regex_dialect.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

TEST(KnownSplitRulesTest, SpellingsOfOnePatternHaveItsRules) {
  const auto gpt2 = KnownSplitRules(R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)");
  ASSERT_TRUE(gpt2.has_value());
  EXPECT_EQ(gpt2->family, PatternFamily::kGpt2);
  EXPECT_EQ(KnownSplitRules(kCl100kPattern)->max_number_chars, 3);
  EXPECT_EQ(KnownSplitRules(kQwen2Pattern)->max_number_chars, 1);
  EXPECT_EQ(KnownSplitRules(kO200kPattern)->family, PatternFamily::kO200k);
}

TEST(KnownSplitRulesTest, WhatTiktokenMeansIsKnownAsASharedPatternToo) {
  for (
      const absl::string_view pattern :
      {R"('(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s)",
       R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)"}) {
    ASSERT_OK_AND_ASSIGN(const std::string shared, ToSharedRegex(pattern, RegexDialect::kTiktoken));
    ASSERT_TRUE(KnownSplitRules(pattern).has_value());
    ASSERT_TRUE(KnownSplitRules(shared).has_value()) << shared;
    EXPECT_EQ(KnownSplitRules(shared)->family, KnownSplitRules(pattern)->family);
    EXPECT_EQ(KnownSplitRules(shared)->last_space_is_whole, KnownSplitRules(pattern)->last_space_is_whole);
  }
}

TEST(KnownSplitRulesTest, OtherPatternsHaveNone) {
  EXPECT_FALSE(KnownSplitRules("").has_value());
  EXPECT_FALSE(KnownSplitRules(R"(\w+)").has_value());
  EXPECT_FALSE(KnownSplitRules(std::string(kGpt2Pattern.data(), kGpt2Pattern.size() - 1)).has_value());
}

}  // namespace
}  // namespace clm
