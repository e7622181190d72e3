#include "core/representation/token.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/representation/representation_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::SmallTokenizer;

TEST(TokenRepresentationTest, SymbolsAreTheTokenizersIds) {
  const auto tokenizer = SmallTokenizer();
  const TokenRepresentation token(tokenizer);
  const absl::string_view text = "The compressor reads the text.";
  ASSERT_OK_AND_ASSIGN(const auto ids, tokenizer->Encode(text));
  EXPECT_EQ(token.Encode(text).value(), ids);
  EXPECT_EQ(token.layout().vocab_size, tokenizer->vocab_size());
  EXPECT_EQ(token.layout().boundary, tokenizer->boundary());
}

TEST(TokenRepresentationTest, LayoutNamesBytesTokensAndSpecials) {
  const auto tokenizer = SmallTokenizer();
  const VocabLayout layout = VocabLayoutOf(tokenizer->vocab());
  ASSERT_OK(layout.Validate());
  ASSERT_EQ(layout.ranges.size(), 3U);
  EXPECT_EQ(layout.ranges[0].meaning, "byte");
  EXPECT_EQ(layout.ranges[0].end, 256U);
  EXPECT_EQ(layout.ranges[1].meaning, "token");
  EXPECT_EQ(layout.ranges[2].meaning, "special");
  EXPECT_EQ(layout.ranges[2].begin, tokenizer->boundary());
}

TEST(TokenRepresentationTest, FingerprintFollowsTheTokenizer) {
  EXPECT_NE(TokenRepresentation(SmallTokenizer(320)).fingerprint(),
            TokenRepresentation(SmallTokenizer(319)).fingerprint());
  EXPECT_EQ(TokenRepresentation(SmallTokenizer(320)).fingerprint(),
            TokenRepresentation(SmallTokenizer(320)).fingerprint());
}

}  // namespace
}  // namespace clm
