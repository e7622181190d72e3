#include "core/tokenizer/bpe_reference.h"

#include <gtest/gtest.h>

#include "tests/core/tokenizer/random_vocab.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::VocabOf;
using ::testing::ElementsAre;

TEST(BpeEncodeReferenceTest, LowestRankFirstThenLeftmost) {
  const BpeVocab vocab = VocabOf({{'b', 'c'}, {'a', 'b'}, {'a', 'a'}});
  EXPECT_THAT(BpeEncodeReference(vocab, ""), ElementsAre());
  EXPECT_THAT(BpeEncodeReference(vocab, "abc"), ElementsAre('a', 256));
  EXPECT_THAT(BpeEncodeReference(vocab, "aaa"), ElementsAre(258, 'a'));
  EXPECT_THAT(BpeEncodeReference(vocab, "aab"), ElementsAre('a', 257));
}

// The example of Sennrich et al. 2016, section 3.2, figure 1, without its end-of-word mark: low 5, lowest 2, newer 6,
// wider 3. By hand: (e,r) 9; then (w,er) 6 of newer against (l,o) 7, (o,w) 7, (n,e) 6, (e,w) 6, (w,i) 3: (l,o) 7; then
// (lo,w) 7; then (e,w) 6 with the lowest left id.
TEST(BpeTrainReferenceTest, LearnsTheMergesOfThePaper) {
  const std::map<std::string, uint64_t> pieces = {{"low", 5}, {"lowest", 2}, {"newer", 6}, {"wider", 3}};
  const BpeLearned learned = BpeTrainReference(pieces, {.max_tokens = 260, .min_pair_count = 2, .max_token_bytes = 64});
  EXPECT_THAT(learned.merges, ElementsAre(BpeMerge{'e', 'r', 256}, BpeMerge{'l', 'o', 257}, BpeMerge{257, 'w', 258},
                                          BpeMerge{'e', 'w', 259}));
}

TEST(BpeTrainReferenceTest, StopsWhenPairsAreRareOrTokensLong) {
  const BpeLearned rare =
      BpeTrainReference({{"ab", 1}}, {.max_tokens = 300, .min_pair_count = 2, .max_token_bytes = 64});
  EXPECT_THAT(rare.merges, ElementsAre());
  const BpeLearned lengths =
      BpeTrainReference({{"aaaaaaaa", 5}}, {.max_tokens = 300, .min_pair_count = 2, .max_token_bytes = 4});
  EXPECT_THAT(lengths.merges, ElementsAre(BpeMerge{'a', 'a', 256}, BpeMerge{256, 256, 257}));
}

}  // namespace
}  // namespace clm
