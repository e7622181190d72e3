#include "core/tokenizer/bpe_encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "core/tokenizer/bpe_decoder.h"
#include "core/tokenizer/bpe_reference.h"
#include "tests/core/tokenizer/random_vocab.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::OrderedVocab;
using ::clm::testing::PartsOf;
using ::clm::testing::RandomLetters;
using ::clm::testing::RandomVocab;
using ::clm::testing::StatusIs;
using ::clm::testing::VocabOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const Pretokenizer& Gpt2() {
  static const std::unique_ptr<const Pretokenizer> kPretokenizer = *MakePretokenizer(kGpt2Pattern);
  return *kPretokenizer;
}

std::vector<SymbolId> Encoded(const BpeVocab& vocab, absl::string_view text, const BpeEncoderOptions& options = {}) {
  const EncodeTables tables(vocab);
  BpeEncoder encoder(tables, Gpt2(), options);
  std::vector<SymbolId> ids;
  EXPECT_OK(encoder.Encode(text, ids));
  return ids;
}

std::vector<SymbolId> EncodedInSteps(StreamingBpeEncoder& encoder, absl::string_view text, size_t step) {
  std::vector<SymbolId> ids;
  for (size_t begin = 0; begin < text.size(); begin += step) EXPECT_OK(encoder.Push(text.substr(begin, step), ids));
  EXPECT_OK(encoder.Finish(ids));
  return ids;
}

std::vector<SymbolId> ReferenceIds(const BpeVocab& vocab, absl::string_view text) {
  std::vector<uint32_t> ends;
  Gpt2().Split(text, true, ends);
  std::vector<SymbolId> ids;
  size_t begin = 0;
  for (const uint32_t end : ends) {
    for (const SymbolId id : BpeEncodeReference(vocab, text.substr(begin, end - begin))) ids.push_back(id);
    begin = end;
  }
  return ids;
}

std::string RandomText(CounterRng& rng, size_t units) {
  static const std::vector<std::string> kUnits = {
      "a", "b", "c",    "ab",   "abc",          " ",        " ", "\n", "'s",           "'",
      "7", "!", "\xFF", "\xC3", "\xE4\xB8\xAD", "\xC3\xA9", "<", "<|", "<|endoftext|>"};
  std::string text;
  for (size_t i = 0; i < units; ++i) text += kUnits[rng.NextBelow(kUnits.size())];
  return text;
}

// Every other vocabulary has its merges in no useful order, so that pieces are merged; the others' are matched.
TEST(BpeEncoderTest, AgreesWithReferenceAndComesBack) {
  for (uint64_t round = 0; round < 60; ++round) {
    const BpeVocab vocab = round % 2 == 0 ? RandomVocab(round, 30) : OrderedVocab(round, 30);
    const EncodeTables tables(vocab);
    BpeEncoder encoder(tables, Gpt2(), {.cache_slots = 16});  // small, so that slots are taken over often
    BpeEncoder uncached(tables, Gpt2(), {.cache_slots = 0});
    CounterRng rng(7, "bpe_encoder_test", round);
    for (int i = 0; i < 12; ++i) {
      const std::string text = RandomText(rng, rng.NextBelow(60));
      std::vector<SymbolId> ids;
      ASSERT_OK(encoder.Encode(text, ids));
      ASSERT_EQ(ids, ReferenceIds(vocab, text)) << "round " << round << ": " << text;
      std::string decoded;
      ASSERT_OK(BpeDecode(vocab, ids, decoded));
      ASSERT_EQ(decoded, text);
      std::vector<SymbolId> uncached_ids;
      ASSERT_OK(uncached.Encode(text, uncached_ids));
      ASSERT_EQ(uncached_ids, ids) << "round " << round << ": " << text;
    }
  }
}

TEST(BpeEncoderTest, RepeatedTextKeepsItsIdsWhileTheCacheGrows) {
  const BpeVocab vocab = OrderedVocab(5, 60);
  const EncodeTables tables(vocab);
  BpeEncoder encoder(tables, Gpt2(), {});
  BpeEncoder uncached(tables, Gpt2(), {.cache_slots = 0});
  CounterRng rng(9, "bpe_encoder_test", 0);
  std::string text;
  for (int i = 0; i < 30'000; ++i) text += RandomLetters(rng, 1 + rng.NextBelow(20), 3) + " ";
  std::vector<SymbolId> want;
  ASSERT_OK(uncached.Encode(text, want));
  for (int i = 0; i < 3; ++i) {
    std::vector<SymbolId> ids;
    ASSERT_OK(encoder.Encode(text, ids));
    ASSERT_TRUE(ids == want);
  }
}

TEST(BpeEncoderTest, FlagsTheFirstIdOfEachPiece) {
  const BpeVocab vocab = OrderedVocab(2, 30);
  const EncodeTables tables(vocab);
  BpeEncoder encoder(tables, Gpt2(), {});
  CounterRng rng(10, "bpe_encoder_test", 0);
  // Long pieces among short ones, so that the ids leave in several batches.
  std::string text;
  for (int i = 0; i < 3'000; ++i) text += RandomLetters(rng, 1 + rng.NextBelow(i % 50 == 0 ? 3'000 : 12), 3) + " ";
  std::vector<SymbolId> ids;
  std::vector<uint8_t> starts;
  ASSERT_OK(encoder.Encode(text, ids, &starts));
  std::vector<uint32_t> ends;
  Gpt2().Split(text, true, ends);
  std::vector<SymbolId> want;
  std::vector<uint8_t> want_starts;
  for (size_t i = 0, begin = 0; i < ends.size(); begin = ends[i++]) {
    const size_t first = want.size();
    PieceMerger(vocab).Merge(absl::string_view(text).substr(begin, ends[i] - begin), want);
    want_starts.resize(want.size(), 0);
    want_starts[first] = 1;
  }
  EXPECT_TRUE(ids == want);
  EXPECT_TRUE(starts == want_starts);
}

TEST(BpeEncoderTest, HostileBytesComeBack) {
  const BpeVocab vocab = RandomVocab(1, 40);
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  const std::vector<std::string> documents = {"",
                                              all,
                                              "\xFF",
                                              "\xE2\x82",
                                              "\xC0\x80",
                                              std::string("\0\0", 2),
                                              "a\r\nb\r\n",
                                              "\xEF\xBB\xBF"
                                              "abc",
                                              std::string(1 << 20, 'a'),
                                              std::string(1 << 20, ' '),
                                              std::string(1 << 20, '\0'),
                                              std::string(1 << 20, '\x80')};
  const EncodeTables tables(vocab);
  BpeEncoder encoder(tables, Gpt2(), {});
  for (const std::string& document : documents) {
    std::vector<SymbolId> ids;
    ASSERT_OK(encoder.Encode(document, ids));
    std::string decoded;
    ASSERT_OK(BpeDecode(vocab, ids, decoded));
    EXPECT_EQ(decoded == document, true) << "document of " << document.size() << " bytes";
  }
}

TEST(BpeEncoderTest, TextThatSpellsASpecialIsPlainUnlessAllowed) {
  const BpeVocab vocab = VocabOf({{'a', 'b'}});
  const std::string text = "ab<|endoftext|>ab";
  const std::vector<SymbolId> plain = Encoded(vocab, text);
  EXPECT_THAT(plain, Not(Contains(vocab.boundary())));
  std::string decoded;
  ASSERT_OK(BpeDecode(vocab, plain, decoded));
  EXPECT_EQ(decoded, text);
  EXPECT_THAT(Encoded(vocab, text, {.allow_special = true}), ElementsAre(256, vocab.boundary(), 256));
}

TEST(BpeEncoderTest, APieceOverTheLimitIsRefusedAndNothingAppended) {
  const BpeVocab vocab = VocabOf({});
  const BpeEncoderOptions options{.max_piece_bytes = 1024};
  const EncodeTables tables(vocab);
  BpeEncoder encoder(tables, Gpt2(), options);
  std::vector<SymbolId> ids = {5};
  EXPECT_OK(encoder.Encode(std::string(1024, 'a') + " b", ids));
  ids.resize(1);
  EXPECT_THAT(encoder.Encode("b " + std::string(1024, 'a'), ids),  // with the space before it
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("limit of 1024 bytes")));
  EXPECT_THAT(ids, ElementsAre(5));

  StreamingBpeEncoder streaming(tables, Gpt2(), options);
  ASSERT_OK(streaming.Push(std::string(1024, 'a'), ids));
  EXPECT_THAT(streaming.Push(std::string(1024, 'a'), ids), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_LT(streaming.held_back_bytes(), 4096);
  EXPECT_THAT(ids, ElementsAre(5));
}

TEST(BpeEncoderTest, RefusesOptionsOutOfRange) {
  EXPECT_OK(BpeEncoderOptions{}.Validate());
  EXPECT_THAT(BpeEncoderOptions{.max_piece_bytes = 1023}.Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("max_piece_bytes is 1023; range [1024, ")));
  EXPECT_THAT(BpeEncoderOptions{.cache_slots = 3}.Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cache_slots is 3")));
  EXPECT_THAT(BpeEncoderOptions{.cache_slots = size_t{1} << 23}.Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_OK(BpeEncoderOptions{.cache_slots = 0}.Validate());
}

TEST(StreamingBpeEncoderTest, IdsDoNotDependOnTheCuts) {
  for (uint64_t round = 0; round < 40; ++round) {
    BpeVocabParts parts = clm::testing::RandomParts(round, 30);
    parts.specials.push_back({static_cast<SymbolId>(parts.tokens.size()), "<|"});  // begins like the other one
    parts.tokens.emplace_back();
    ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, BpeVocab::Create(parts));
    CounterRng rng(8, "bpe_encoder_test", round);
    const BpeEncoderOptions options{.allow_special = round % 2 == 0, .cache_slots = 64};
    const EncodeTables tables(vocab);
    StreamingBpeEncoder encoder(tables, Gpt2(), options);
    const std::string text = RandomText(rng, 80);
    const std::vector<SymbolId> want = Encoded(vocab, text, options);
    for (const size_t step : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{50}}) {
      ASSERT_EQ(EncodedInSteps(encoder, text, step), want) << "round " << round << " step " << step;
    }
  }
}

TEST(StreamingBpeEncoderTest, HoldsBackOnlyTheUnsettledPiece) {
  const BpeVocab vocab = VocabOf({{'a', 'b'}});
  const EncodeTables tables(vocab);
  StreamingBpeEncoder encoder(tables, Gpt2(), {});
  std::vector<SymbolId> ids;
  ASSERT_OK(encoder.Push("ab ab", ids));
  ASSERT_OK(encoder.Push(" abababababababababababababab", ids));
  EXPECT_THAT(ids, ElementsAre(256, ' ', 256));
  EXPECT_EQ(encoder.held_back_bytes(), 29);
  encoder.Reset();
  EXPECT_EQ(encoder.held_back_bytes(), 0);
  ASSERT_OK(encoder.Finish(ids));
  EXPECT_EQ(ids.size(), 3);
}

TEST(StreamingBpeEncoderTest, DocumentsLargerThanAWindowAgreeWithMergingEachPiece) {
  const BpeVocab vocab = OrderedVocab(3, 20);
  const EncodeTables tables(vocab);
  std::string text;
  for (int i = 0; i < 20; ++i) text += " abcab" + std::string(static_cast<size_t>(i) * 1500, "abc "[i % 4]);
  std::vector<SymbolId> want;  // the reference is quadratic, so the merger stands in for it
  std::vector<uint32_t> ends;
  Gpt2().Split(text, true, ends);
  PieceMerger merger(vocab);
  for (size_t i = 0, begin = 0; i < ends.size(); begin = ends[i++]) {
    merger.Merge(absl::string_view(text).substr(begin, ends[i] - begin), want);
  }
  EXPECT_EQ(Encoded(vocab, text), want);
  StreamingBpeEncoder encoder(tables, Gpt2(), {});
  EXPECT_EQ(EncodedInSteps(encoder, text, 997), want);
}

// Reading or moving what is held back for every push would take 5 * 10^10 steps.
TEST(StreamingBpeEncoderTest, OneLongPieceByteByByteIsLinear) {
  const BpeVocab vocab = VocabOf({{'a', 'a'}});
  const EncodeTables tables(vocab);
  StreamingBpeEncoder encoder(tables, Gpt2(), {});
  EXPECT_EQ(EncodedInSteps(encoder, std::string(300'000, 'a'), 1).size(), 150'000);
}

}  // namespace
}  // namespace clm
