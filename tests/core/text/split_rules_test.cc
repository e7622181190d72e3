#include "core/text/split_rules.h"

#include <gtest/gtest.h>

#include <string>

#include "core/text/pretokenizer.h"

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

TEST(KnownSplitRulesTest, OtherPatternsHaveNone) {
  EXPECT_FALSE(KnownSplitRules("").has_value());
  EXPECT_FALSE(KnownSplitRules(R"(\w+)").has_value());
  EXPECT_FALSE(KnownSplitRules(std::string(kGpt2Pattern.data(), kGpt2Pattern.size() - 1)).has_value());
}

}  // namespace
}  // namespace clm
