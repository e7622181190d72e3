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

// By hand. Inside pieces, one merge: (a,b) 5. Then across: " b" of the second chunk is (' ',b); the pairs are (ab,' ')
// 3,
// (' ',ab) 3, (' ',b) 2, (ab,' ') once more with the second chunk: 5. Then (257,ab) 3, which gives "ab ab"; (257,b) 2.
TEST(BpeTrainSuperwordsReferenceTest, JoinsAcrossPieces) {
  const std::map<std::vector<std::string>, uint64_t> chunks = {{{"ab", " ab"}, 3}, {{"ab", " b"}, 2}};
  const BpeLearned learned =
      BpeTrainSuperwordsReference(chunks, {.max_tokens = 260, .min_pair_count = 2, .max_token_bytes = 64}, 257);
  EXPECT_THAT(learned.merges, ElementsAre(BpeMerge{'a', 'b', 256}, BpeMerge{256, ' ', 257}, BpeMerge{257, 256, 258},
                                          BpeMerge{257, 'b', 259}));
}

TEST(BpeTrainSuperwordsReferenceTest, LeavesPairsThatSpellATokenAlone) {
  // "abc" is a token from its own piece; between "ab" and "c" it stays two tokens.
  const std::map<std::vector<std::string>, uint64_t> chunks = {{{"abc"}, 9}, {{"ab"}, 20}, {{"ab", "c"}, 5}};
  const BpeLearned learned =
      BpeTrainSuperwordsReference(chunks, {.max_tokens = 300, .min_pair_count = 2, .max_token_bytes = 64}, 258);
  EXPECT_THAT(learned.merges, ElementsAre(BpeMerge{'a', 'b', 256}, BpeMerge{256, 'c', 257}));
}

}  // namespace
}  // namespace clm
