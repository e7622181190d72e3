#include "core/tokenizer/rank_merges.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/tokenizer/bpe_reference.h"
#include "core/tokenizer/rank_file.h"
#include "tests/core/tokenizer/random_vocab.h"
#include "tests/core/tokenizer/rank_twin.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::RandomLetters;
using ::clm::testing::RankEncode;
using ::clm::testing::RankTokens;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(DeriveRankMergesTest, EveryTokenOfALearnedVocabularyHasOneMerge) {
  ASSERT_OK_AND_ASSIGN(const RankMerges derived, DeriveRankMerges(RankTokens({"ab", "bc", "abc"})));
  EXPECT_FALSE(derived.equal_ranks);
  EXPECT_THAT(derived.merges, ElementsAre(BpeMerge{'a', 'b', 256}, BpeMerge{'b', 'c', 257}, BpeMerge{256, 'c', 258}));
}

TEST(DeriveRankMergesTest, ATokenThatLowerRanksDoNotHalveNeedsAllItsSplits) {
  ASSERT_OK_AND_ASSIGN(const RankMerges derived, DeriveRankMerges(RankTokens({"abcd", "bc", "abc"})));
  EXPECT_TRUE(derived.equal_ranks);
  EXPECT_THAT(derived.merges, ElementsAre(BpeMerge{258, 'd', 256}, BpeMerge{'b', 'c', 257}, BpeMerge{'a', 257, 258}));
}

// Both kinds come up, and both give what the rule of tiktoken gives.
TEST(DeriveRankMergesTest, MergingIsJoiningTheLowestRank) {
  size_t with_equal_ranks = 0;
  for (uint64_t round = 0; round < 300; ++round) {
    CounterRng rng(11, "rank_merges_test", round);
    std::vector<std::string> words;
    const uint64_t count = rng.NextBelow(14);
    for (uint64_t i = 0; i < count; ++i) words.push_back(RandomLetters(rng, 2 + rng.NextBelow(5), 2));
    BpeVocabParts parts;
    parts.tokens = RankTokens(words);
    ASSERT_OK_AND_ASSIGN(RankMerges derived, DeriveRankMerges(parts.tokens));
    with_equal_ranks += derived.equal_ranks ? 1U : 0U;
    const std::vector<std::string> tokens = parts.tokens;
    parts.merges = std::move(derived.merges);
    parts.equal_ranks = derived.equal_ranks;
    parts.boundary = static_cast<SymbolId>(parts.tokens.size());
    parts.specials = {{parts.boundary, "<|endoftext|>"}};
    parts.tokens.emplace_back();
    ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, BpeVocab::Create(std::move(parts)));
    for (int text_round = 0; text_round < 20; ++text_round) {
      const std::string text = RandomLetters(rng, rng.NextBelow(20), 2);
      ASSERT_EQ(BpeEncodeReference(vocab, text), RankEncode(tokens, text)) << "round " << round << ": " << text;
    }
  }
  EXPECT_GT(with_equal_ranks, 0U);
  EXPECT_LT(with_equal_ranks, 300U);
}

TEST(DeriveRankMergesTest, RefusesSizesOverTheLimits) {
  EXPECT_THAT(DeriveRankMerges({std::string(kMaxRankTokenBytes + 1, 'a')}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("rank 0 has 4097 bytes; limit 4096")));
  EXPECT_THAT(DeriveRankMerges(std::vector<std::string>(129, std::string(kMaxRankTokenBytes, 'a'))).status(),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("limit 2147483648")));
  std::vector<std::string> tokens;  // "x", and words of a that are all made of each other
  for (size_t length = 1; length <= 1500; ++length) tokens.emplace_back(1501 - length, 'a');
  EXPECT_THAT(DeriveRankMerges(tokens).status(),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("more than 1048576 ways")));
}

}  // namespace
}  // namespace clm
