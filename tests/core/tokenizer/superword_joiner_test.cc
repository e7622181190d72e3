#include "core/tokenizer/superword_joiner.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "core/text/pretokenizer.h"
#include "core/tokenizer/bpe_encoder.h"
#include "core/tokenizer/bpe_reference.h"
#include "core/tokenizer/bpe_trainer.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/core/tokenizer/random_vocab.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::PartsOf;
using ::clm::testing::VocabOf;
using ::testing::ElementsAre;

// Merges of tokens over a few characters, the first `inside` of them of the first stage.
BpeVocab RandomSuperwords(uint64_t seed, size_t inside, size_t superwords, uint32_t chunk_bytes) {
  CounterRng rng(seed, "superword_joiner_test", 0);
  std::vector<std::pair<SymbolId, SymbolId>> merges;
  std::vector<std::string> tokens(256);
  std::vector<SymbolId> usable = {'a', 'b', ' ', '\n'};
  for (const SymbolId id : usable) tokens[id] = std::string(1, static_cast<char>(id));
  std::set<std::string> spelled(tokens.begin(), tokens.end());
  for (size_t tries = 0; merges.size() < inside + superwords && tries < 10'000; ++tries) {
    const SymbolId left = usable[rng.NextBelow(usable.size())];
    const SymbolId right = usable[rng.NextBelow(usable.size())];
    if (!spelled.insert(tokens[left] + tokens[right]).second) continue;
    merges.emplace_back(left, right);
    usable.push_back(static_cast<SymbolId>(tokens.size()));
    tokens.push_back(tokens[left] + tokens[right]);
  }
  BpeVocabParts parts = PartsOf(merges);
  const auto first = parts.merges.begin() + static_cast<std::ptrdiff_t>(inside);
  parts.superwords = {.merges = {first, parts.merges.end()}, .chunk_bytes = chunk_bytes};
  parts.merges.erase(first, parts.merges.end());
  absl::StatusOr<BpeVocab> vocab = BpeVocab::Create(std::move(parts));
  EXPECT_OK(vocab);
  return *std::move(vocab);
}

std::string RandomText(CounterRng& rng, size_t length) {
  const absl::string_view characters = "aaabb  \n";
  std::string text;
  for (size_t i = 0; i < length; ++i) text.push_back(characters[rng.NextBelow(characters.size())]);
  return text;
}

std::vector<std::string> PiecesOf(const Pretokenizer& pretokenizer, const std::string& text) {
  std::vector<uint32_t> ends;
  pretokenizer.Split(text, /*is_end=*/true, ends);
  std::vector<std::string> pieces;
  size_t begin = 0;
  for (const uint32_t end : ends) {
    pieces.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return pieces;
}

std::unique_ptr<const Pretokenizer> Gpt2() { return *MakePretokenizer(kGpt2Pattern); }

TEST(SuperwordJoinerTest, AgreesWithReferenceWholeAndInSteps) {
  const std::unique_ptr<const Pretokenizer> gpt2 = Gpt2();
  for (uint64_t seed = 0; seed < 60; ++seed) {
    CounterRng rng(seed, "superword_text", 0);
    const auto chunk_bytes = static_cast<uint32_t>(2 + rng.NextBelow(40));
    const BpeVocab vocab = RandomSuperwords(seed, rng.NextBelow(12), 1 + rng.NextBelow(40), chunk_bytes);
    const std::string text = RandomText(rng, rng.NextBelow(400));
    const std::vector<SymbolId> want = BpeEncodeSuperwordsReference(vocab, PiecesOf(*gpt2, text));
    const EncodeTables tables(vocab);
    for (const size_t cache_slots : {size_t{0}, size_t{1} << 10}) {
      StreamingBpeEncoder encoder(tables, *gpt2, {.cache_slots = cache_slots});
      std::vector<SymbolId> got;
      std::vector<uint8_t> starts;
      ASSERT_OK(encoder.whole_documents().Encode(text, got, &starts));
      ASSERT_EQ(got, want) << "seed " << seed;
      ASSERT_EQ(starts.size(), got.size());
      const size_t step = 1 + rng.NextBelow(9);
      got.clear();
      for (size_t begin = 0; begin < text.size(); begin += step) {
        ASSERT_OK(encoder.Push(absl::string_view(text).substr(begin, step), got));
      }
      ASSERT_OK(encoder.Finish(got));
      ASSERT_EQ(got, want) << "seed " << seed << ", step " << step;
    }
  }
}

// Rank by rank, as very long chunks are merged; runs of one token among them.
TEST(SuperwordJoinerTest, LongChunksAgreeWithReference) {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    const BpeVocab vocab = RandomSuperwords(100 + seed, 0, 25, 16);
    CounterRng rng(seed, "superword_long", 0);
    std::string piece;
    while (piece.size() < 80'000) piece += std::string(1 + rng.NextBelow(9), rng.NextBelow(3) == 0 ? 'b' : 'a');
    const std::vector<SymbolId> want = BpeEncodeSuperwordsReference(vocab, {piece});
    const std::unique_ptr<const Pretokenizer> none = *MakePretokenizer(kWholeDocumentPattern);
    const EncodeTables tables(vocab);
    BpeEncoder encoder(tables, *none, {});
    std::vector<SymbolId> got;
    ASSERT_OK(encoder.Encode(piece, got));
    EXPECT_EQ(got, want) << "seed " << seed;
  }
}

// "ab ab" is one superword; a line feed and the length of a chunk part it.
TEST(SuperwordJoinerTest, ChunksEndWhereTheTrainersDo) {
  // 256: "ab", 257: " ab", 258: "ab ab", 259: " ab ab"
  BpeVocabParts parts = PartsOf({{'a', 'b'}, {' ', 256}, {256, 257}, {257, 257}});
  parts.superwords = {.merges = {parts.merges[2], parts.merges[3]}, .chunk_bytes = 10};
  parts.merges.resize(2);
  ASSERT_OK_AND_ASSIGN(const std::shared_ptr<const Tokenizer> tokenizer,
                       Tokenizer::Create(*BpeVocab::Create(std::move(parts)), kGpt2Pattern));
  const auto encode = [&](absl::string_view text) { return *tokenizer->Encode(text); };
  EXPECT_THAT(encode("ab ab"), ElementsAre(258));
  EXPECT_THAT(encode("ab ab ab"), ElementsAre(258, 257)) << "8 bytes in the chunk: all of it, the lower rank first";
  EXPECT_THAT(encode("ab ab ab ab"), ElementsAre(258, 257, 257)) << "the last piece would make it 11";
  EXPECT_THAT(encode("ab\n ab ab"), ElementsAre(256, '\n', 259));
  EXPECT_EQ(*tokenizer->Decode(encode("ab ab ab ab\n ab ab")), "ab ab ab ab\n ab ab");
}

TEST(SuperwordJoinerTest, AMergedTokenStartsWhereItsLeftPartDoes) {
  BpeVocabParts parts = PartsOf({{'a', ' '}});
  parts.superwords = {.merges = parts.merges, .chunk_bytes = 100};
  parts.merges.clear();
  const BpeVocab vocab = *BpeVocab::Create(std::move(parts));
  const EncodeTables tables(vocab);
  const std::unique_ptr<const Pretokenizer> gpt2 = Gpt2();
  BpeEncoder encoder(tables, *gpt2, {});
  std::vector<SymbolId> ids;
  std::vector<uint8_t> starts;
  ASSERT_OK(encoder.Encode("ba bc", ids, &starts));  // pieces "ba" and " bc"
  EXPECT_THAT(ids, ElementsAre('b', 256, 'b', 'c'));
  EXPECT_THAT(starts, ElementsAre(1, 0, 0, 0));
}

TEST(SuperwordJoinerTest, SpecialsEndAChunk) {
  BpeVocabParts parts = PartsOf({{'a', 'b'}, {256, 256}});
  parts.superwords = {.merges = {parts.merges[1]}, .chunk_bytes = 100};
  parts.merges.resize(1);
  const BpeVocab vocab = *BpeVocab::Create(std::move(parts));
  const EncodeTables tables(vocab);
  const std::unique_ptr<const Pretokenizer> gpt2 = Gpt2();
  BpeEncoder encoder(tables, *gpt2, {.allow_special = true});
  std::vector<SymbolId> ids;
  ASSERT_OK(encoder.Encode("ab<|endoftext|>abab", ids));
  EXPECT_THAT(ids, ElementsAre(256, vocab.boundary(), 257));
}

TEST(SuperwordJoinerTest, HoldsBackLessThanAChunk) {
  const BpeVocab vocab = RandomSuperwords(3, 5, 30, 24);
  const BpeVocab plain = VocabOf({});
  const EncodeTables tables(vocab);
  const EncodeTables plain_tables(plain);
  const std::unique_ptr<const Pretokenizer> gpt2 = Gpt2();
  StreamingBpeEncoder with(tables, *gpt2, {});
  StreamingBpeEncoder without(plain_tables, *gpt2, {});
  std::vector<SymbolId> ids;
  std::string text;
  while (text.size() < 5000) text += "ab ";
  for (const char& byte : text) {
    ASSERT_OK(with.Push(absl::string_view(&byte, 1), ids));
    ASSERT_OK(without.Push(absl::string_view(&byte, 1), ids));
    ASSERT_LT(with.held_back_bytes(), without.held_back_bytes() + 24);
  }
}

// What a trainer learned is what its own chunks become.
TEST(SuperwordJoinerTest, ATrainedVocabularyUsesItsSuperwords) {
  absl::StatusOr<BpeTrainer> trainer = BpeTrainer::Create({.vocab_size = 400, .superword_from = 300});
  ASSERT_OK(trainer);
  std::vector<std::string> documents;
  for (uint64_t i = 0; i < 60; ++i) {
    CounterRng rng(i, "superword_trained", 0);
    std::string document;
    for (int word = 0; word < 40; ++word) {
      document +=
          std::vector<std::string>{" in the", " of the", " once upon a", " time", ".\n", " 17"}[rng.NextBelow(6)];
    }
    documents.push_back(document);
    ASSERT_OK(trainer->AddDocument(document));
  }
  ASSERT_OK_AND_ASSIGN(BpeVocab vocab, trainer->Train());
  ASSERT_TRUE(vocab.has_superwords());
  EXPECT_EQ(vocab.superwords().chunk_bytes, 512U);
  const std::unique_ptr<const Pretokenizer> gpt2 = Gpt2();
  size_t superwords = 0;
  const EncodeTables tables(vocab);
  BpeEncoder encoder(tables, *gpt2, {});
  for (const std::string& document : documents) {
    std::vector<SymbolId> ids;
    ASSERT_OK(encoder.Encode(document, ids));
    EXPECT_EQ(ids, BpeEncodeSuperwordsReference(vocab, PiecesOf(*gpt2, document)));
    for (const SymbolId id : ids) superwords += size_t{id >= vocab.superwords().merges[0].result};
  }
  EXPECT_GT(superwords, 300U);
}

}  // namespace
}  // namespace clm
