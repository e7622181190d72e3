#include "core/tokenizer/chunk_encoder.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/core/tokenizer/random_vocab.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::clm::testing::VocabOf;
using ::testing::ElementsAre;

TEST(ChunkEncoderTest, EncodesPieceByPiece) {
  const BpeVocab vocab = VocabOf({{'a', 'b'}, {256, 'a'}});
  ChunkEncoder encoder(vocab);
  std::vector<SymbolId> tokens;
  ASSERT_OK(encoder.EncodeChunk("\2ab\3aba\2ab", tokens));  // nothing is joined across pieces
  EXPECT_THAT(tokens, ElementsAre(256, 257, 256));
  tokens.clear();
  const std::string piece(40, 'a');
  encoder.EncodePiece(piece, tokens);
  EXPECT_EQ(tokens, std::vector<SymbolId>(40, 'a'));
}

TEST(ChunkEncoderTest, RefusesWhatIsNoChunk) {
  const BpeVocab vocab = VocabOf({});
  ChunkEncoder encoder(vocab);
  std::vector<SymbolId> tokens;
  for (const std::string& chunk : {std::string("\3ab"), std::string("\1a\0", 3), std::string("\xFF")}) {
    EXPECT_THAT(encoder.EncodeChunk(chunk, tokens), StatusIs(absl::StatusCode::kDataLoss));
  }
}

}  // namespace
}  // namespace clm
