#include "core/tokenizer/whole_pieces.h"

#include <gtest/gtest.h>

#include "core/tokenizer/bpe_reference.h"
#include "tests/core/tokenizer/random_vocab.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::PartsOf;
using ::clm::testing::RandomVocab;
using ::clm::testing::VocabOf;
using ::testing::ElementsAre;

TEST(WholePiecesTest, TokensThatMergingReachesAreNotAmongThem) {
  EXPECT_THAT(TokensThatMergingMisses(VocabOf({{'a', 'b'}, {256, 'c'}})), ElementsAre());
  // "abc" comes from "bc", but "ab" is merged first.
  EXPECT_THAT(TokensThatMergingMisses(VocabOf({{'a', 'b'}, {'b', 'c'}, {'a', 257}})), ElementsAre(258));
}

TEST(WholePiecesTest, AgreesWithTheReference) {
  for (uint64_t round = 0; round < 30; ++round) {
    const BpeVocab vocab = RandomVocab(round, 30);
    std::vector<SymbolId> want;
    for (SymbolId id = 0; id < vocab.size(); ++id) {
      if (!vocab.IsSpecial(id) && BpeEncodeReference(vocab, vocab.TokenBytes(id)) != std::vector<SymbolId>{id}) {
        want.push_back(id);
      }
    }
    ASSERT_EQ(TokensThatMergingMisses(vocab), want) << "round " << round;
  }
}

TEST(WholePiecesTest, CreatesThemWhereTheyMakeADifference) {
  const BpeVocabParts parts = PartsOf({{'a', 'b'}, {'b', 'c'}, {'a', 257}, {'a', 258}});
  ASSERT_OK_AND_ASSIGN(const BpeVocab all, CreateWithWholePieces(parts, {}));
  EXPECT_THAT(all.whole_pieces(), ElementsAre(258, 259));
  const std::vector<SymbolId> except = {259};
  ASSERT_OK_AND_ASSIGN(const BpeVocab some, CreateWithWholePieces(parts, except));
  EXPECT_THAT(some.whole_pieces(), ElementsAre(258));
  ASSERT_OK_AND_ASSIGN(const BpeVocab none, CreateWithWholePieces(PartsOf({{'a', 'b'}}), {}));
  EXPECT_EQ(none.fingerprint(), VocabOf({{'a', 'b'}}).fingerprint());
}

}  // namespace
}  // namespace clm
