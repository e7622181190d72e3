#include "core/tokenizer/piece_merger.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/tokenizer/bpe_reference.h"
#include "tests/core/tokenizer/random_vocab.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::RandomLetters;
using ::clm::testing::RandomVocab;
using ::clm::testing::VocabOf;
using ::testing::ElementsAre;

TEST(PieceMergerTest, AgreesWithReferenceOnRandomVocabularies) {
  for (uint64_t round = 0; round < 60; ++round) {
    const BpeVocab vocab = RandomVocab(round, 1 + round);
    PieceMerger merger(vocab);
    CounterRng rng(1, "piece_merger_test", round);
    for (int i = 0; i < 12; ++i) {
      const std::string piece = RandomLetters(rng, rng.NextBelow(i % 3 == 0 ? 120 : 30), 1 + rng.NextBelow(3));
      std::vector<SymbolId> ids;
      merger.Merge(piece, ids);
      ASSERT_EQ(ids, BpeEncodeReference(vocab, piece)) << "round " << round << " piece " << piece;
    }
  }
}

TEST(PieceMergerTest, AppendsToWhatIsThere) {
  const BpeVocab vocab = VocabOf({{'a', 'b'}});
  PieceMerger merger(vocab);
  std::vector<SymbolId> ids = {7};
  merger.Merge("", ids);
  merger.Merge("abb", ids);
  merger.Merge(std::string(60, 'b'), ids);
  EXPECT_EQ(ids.size(), 63);
  EXPECT_EQ(ids[1], 256);
}

// A quadratic merge would take 10^12 steps.
TEST(PieceMergerTest, AMegabyteOfOneLetterIsFast) {
  const BpeVocab vocab = VocabOf({{'a', 'a'}, {256, 256}, {257, 257}});
  PieceMerger merger(vocab);
  std::vector<SymbolId> ids;
  merger.Merge(std::string(1'000'003, 'a'), ids);
  EXPECT_EQ(ids.size(), 125'000 + 2);
  EXPECT_EQ(ids[0], 258);
  EXPECT_EQ(ids[125'000], 256);
  EXPECT_EQ(ids[125'001], 'a');
}

}  // namespace
}  // namespace clm
