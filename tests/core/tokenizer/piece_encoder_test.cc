#include "core/tokenizer/piece_encoder.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/tokenizer/bpe_reference.h"
#include "tests/core/tokenizer/random_vocab.h"

namespace clm {
namespace {

using ::clm::testing::OrderedVocab;
using ::clm::testing::RandomLetters;
using ::clm::testing::RandomVocab;

TEST(PieceEncoderTest, AgreesWithTheReference) {
  for (uint64_t round = 0; round < 80; ++round) {
    const BpeVocab vocab = round % 4 == 0 ? RandomVocab(round, 40) : OrderedVocab(round, 5 + round);
    const EncodeTables tables(vocab);
    EXPECT_EQ(tables.merges_pieces(), !tables.adjacency().in_order());
    PieceEncoder encoder(tables);
    CounterRng rng(2, "piece_encoder_test", round);
    for (int i = 0; i < 60; ++i) {
      const std::string piece = RandomLetters(rng, 1 + rng.NextBelow(80), 1 + rng.NextBelow(4));
      std::vector<SymbolId> ids;
      encoder.Encode(piece, ids);
      ASSERT_EQ(ids, BpeEncodeReference(vocab, piece)) << "round " << round << ": " << piece;
    }
  }
}

TEST(PieceEncoderTest, AgreesWithMergingOnLongPieces) {
  for (uint64_t round = 0; round < 6; ++round) {
    const BpeVocab vocab = OrderedVocab(round, 60);
    const EncodeTables tables(vocab);
    CounterRng rng(3, "piece_encoder_test", round);
    const std::string piece = RandomLetters(rng, 20'000, 1 + round % 3);
    std::vector<SymbolId> ids;
    PieceEncoder(tables).Encode(piece, ids);
    std::vector<SymbolId> merged;
    PieceMerger(vocab).Merge(piece, merged);
    EXPECT_TRUE(ids == merged) << "round " << round;
  }
}

TEST(PieceEncoderTest, AgreesWithMergingWhereTextRepeatsItself) {
  for (uint64_t round = 0; round < 60; ++round) {
    const BpeVocab vocab = OrderedVocab(round, 4 + round);
    const EncodeTables tables(vocab);
    CounterRng rng(4, "piece_encoder_test", round);
    std::string piece;
    for (int run = 0; run < 12; ++run) {
      const std::string period = RandomLetters(rng, 1 + rng.NextBelow(5), 1 + rng.NextBelow(3));
      for (uint64_t times = rng.NextBelow(300); times > 0; --times) piece += period;
      piece += RandomLetters(rng, rng.NextBelow(4), 3);
    }
    piece += "a";
    std::vector<SymbolId> ids;
    PieceEncoder(tables).Encode(piece, ids);
    std::vector<SymbolId> merged;
    PieceMerger(vocab).Merge(piece, merged);
    ASSERT_TRUE(ids == merged) << "round " << round;
  }
}

TEST(PieceEncoderTest, AWholePieceBecomesItsTokenThoughMergingWouldNotGiveIt) {
  BpeVocabParts parts = clm::testing::PartsOf({{'a', 'b'}, {'b', 'c'}});
  parts.tokens.insert(parts.tokens.begin() + 258, "abc");  // merging gives ab c
  parts.boundary = 259;
  parts.specials[0].id = 259;
  parts.whole_pieces = {258};
  const BpeVocab vocab = *BpeVocab::Create(parts);
  const EncodeTables tables(vocab);
  std::vector<SymbolId> ids;
  PieceEncoder(tables).Encode("abc", ids);
  PieceEncoder(tables).Encode("abca", ids);
  EXPECT_EQ(ids, (std::vector<SymbolId>{258, 256, 'c', 'a'}));
  EXPECT_EQ(tables.ShortToken(ShortPiece::Of("abc", 3, false)), 258);
}

// Going back over the piece for each of its bytes would take 10^11 steps.
TEST(PieceEncoderTest, PiecesInWhichTheLongestTokenMisleadsAreLinear) {
  const BpeVocab vocab = clm::testing::VocabOf({{'a', 'a'}, {256, 256}, {257, 257}, {258, 'b'}});
  const EncodeTables tables(vocab);
  const std::string piece = std::string(300'001, 'a') + "c";
  std::vector<SymbolId> ids;
  PieceEncoder(tables).Encode(piece, ids);
  std::vector<SymbolId> merged;
  PieceMerger(vocab).Merge(piece, merged);
  EXPECT_TRUE(ids == merged);
}

}  // namespace
}  // namespace clm
