#include "core/tokenizer/bpe_decoder.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "tests/core/tokenizer/random_vocab.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::clm::testing::VocabOf;
using ::testing::HasSubstr;

TEST(BpeDecoderTest, SpecialsGiveNoBytesUnlessAskedFor) {
  const BpeVocab vocab = VocabOf({{'a', 'b'}});
  const std::vector<SymbolId> ids = {256, 'c', 257, 'd'};
  std::string out = ">";
  ASSERT_OK(BpeDecode(vocab, ids, out));
  EXPECT_EQ(out, ">abcd");
  out.clear();
  ASSERT_OK(BpeDecode(vocab, ids, out, {.spell_specials = true}));
  EXPECT_EQ(out, "abc<|endoftext|>d");
  ASSERT_OK_AND_ASSIGN(const uint64_t bytes, BpeDecodedBytes(vocab, ids));
  EXPECT_EQ(bytes, 4);
}

TEST(BpeDecoderTest, LongSequencesOfShortAndLongTokensAreTheirBytesInOrder) {
  std::vector<std::pair<SymbolId, SymbolId>> merges = {{'a', 'b'}};
  for (SymbolId id = 256; id < 300; ++id) merges.emplace_back(id, 'c');  // tokens of 2 to 46 bytes
  const BpeVocab vocab = VocabOf(merges);
  CounterRng rng(12, "bpe_decoder_test", 0);
  std::vector<SymbolId> ids;
  std::string want;
  for (int i = 0; i < 20'000; ++i) {
    ids.push_back(static_cast<SymbolId>(rng.NextBelow(rng.NextBelow(10) == 0 ? vocab.size() : 260)));
    want.append(vocab.TokenBytes(ids.back()).data(), vocab.TokenBytes(ids.back()).size());
  }
  std::string out;
  ASSERT_OK(BpeDecode(vocab, ids, out));
  EXPECT_TRUE(out == want);
  ids.push_back(vocab.size());
  EXPECT_THAT(BpeDecode(vocab, ids, out), StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("position 20000")));
  EXPECT_TRUE(out == want);
}

TEST(BpeDecoderTest, AnUnknownIdIsNamedAndNothingIsAppended) {
  const BpeVocab vocab = VocabOf({});
  std::string out = "as it was";
  EXPECT_THAT(BpeDecode(vocab, std::vector<SymbolId>{'a', 'b', 257, 'c'}, out),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("id 257 at position 2; vocabulary size is 257")));
  EXPECT_EQ(out, "as it was");
  EXPECT_THAT(BpeDecodedBytes(vocab, std::vector<SymbolId>{UINT32_MAX}), StatusIs(absl::StatusCode::kOutOfRange));
}

TEST(StreamingBpeDecoderTest, PositionsCountFromTheStartOfTheDocument) {
  const BpeVocab vocab = VocabOf({});
  StreamingBpeDecoder decoder(vocab);
  std::string out;
  ASSERT_OK(decoder.Push(std::vector<SymbolId>{'a', 'b'}, out));
  EXPECT_THAT(decoder.Push(std::vector<SymbolId>{'c', 999}, out),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("position 3")));
  EXPECT_EQ(out, "ab");
  decoder.Finish();
  EXPECT_THAT(decoder.Push(std::vector<SymbolId>{999}, out),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("position 0")));
}

}  // namespace
}  // namespace clm
