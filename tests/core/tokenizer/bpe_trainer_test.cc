#include "core/tokenizer/bpe_trainer.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/tokenizer/bpe_reference.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

BpeTrainer MakeTrainer(const BpeTrainerOptions& options) {
  absl::StatusOr<BpeTrainer> trainer = BpeTrainer::Create(options);
  EXPECT_OK(trainer);
  return *std::move(trainer);
}

std::vector<std::string> Documents() {
  static const std::vector<std::string> kWords = {"low", "lower", "lowest", "new", "newer", "it's", "\n", "42", "\xFF"};
  std::vector<std::string> documents;
  for (uint64_t i = 0; i < 40; ++i) {
    CounterRng rng(9, "bpe_trainer_test", i);
    std::string document;
    for (int word = 0; word < 30; ++word) document += " " + kWords[rng.NextBelow(kWords.size())];
    documents.push_back(document);
  }
  return documents;
}

TEST(BpeTrainerTest, LaysOutBytesMergesAndSpecials) {
  BpeTrainer trainer = MakeTrainer({.vocab_size = 260, .special_tokens = {"<eos>", "<pad>"}});
  ASSERT_OK(trainer.AddDocument("ab ab ab abc"));
  ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, trainer.Train());
  EXPECT_EQ(vocab.size(), 260);
  EXPECT_EQ(vocab.ByteId('a'), 'a');
  EXPECT_THAT(vocab.merges(), ElementsAre(BpeMerge{'a', 'b', 256}, BpeMerge{' ', 256, 257}));
  EXPECT_EQ(vocab.boundary(), 258);
  EXPECT_THAT(vocab.specials(), ElementsAre(BpeSpecial{258, "<eos>"}, BpeSpecial{259, "<pad>"}));
}

TEST(BpeTrainerTest, AgreesWithReferenceOnPieces) {
  BpeTrainer trainer = MakeTrainer({.vocab_size = 300});
  std::map<std::string, uint64_t> pieces;
  absl::StatusOr<std::unique_ptr<const Pretokenizer>> pretokenizer = MakePretokenizer(kGpt2Pattern);
  ASSERT_OK(pretokenizer);
  for (const std::string& document : Documents()) {
    ASSERT_OK(trainer.AddDocument(document));
    std::vector<uint32_t> ends;
    (*pretokenizer)->Split(document, true, ends);
    size_t begin = 0;
    for (const size_t end : ends) {
      ++pieces[document.substr(begin, end - begin)];
      begin = end;
    }
  }
  ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, trainer.Train());
  const BpeLearned want = BpeTrainReference(pieces, {.max_tokens = 299, .min_pair_count = 2, .max_token_bytes = 1024});
  EXPECT_EQ(std::vector<BpeMerge>(vocab.merges().begin(), vocab.merges().end()), want.merges);
}

TEST(BpeTrainerTest, NeitherOrderNorSharesMatter) {
  const std::vector<std::string> documents = Documents();
  BpeTrainer forward = MakeTrainer({.vocab_size = 300});
  for (const std::string& document : documents) ASSERT_OK(forward.AddDocument(document));
  ASSERT_OK_AND_ASSIGN(const BpeVocab want, forward.Train());

  std::vector<BpeTrainer> shares;
  for (int i = 0; i < 3; ++i) shares.push_back(MakeTrainer({.vocab_size = 300}));
  for (size_t i = documents.size(); i > 0; --i) ASSERT_OK(shares[i % 3].AddDocument(documents[i - 1]));
  ASSERT_OK(shares[2].Absorb(shares[0]));
  ASSERT_OK(shares[2].Absorb(shares[1]));
  ASSERT_OK_AND_ASSIGN(const BpeVocab got, shares[2].Train());
  EXPECT_EQ(got.fingerprint(), want.fingerprint());
  EXPECT_EQ(shares[2].document_bytes(), forward.document_bytes());
}

// Windows of 64 KiB must not show: the same words as one long document and as many short ones.
TEST(BpeTrainerTest, LongDocumentsAreCountedAsShortOnes) {
  std::string text;
  BpeTrainer parts = MakeTrainer({.vocab_size = 300});
  for (int i = 0; i < 30; ++i) {
    const std::string piece = " x" + std::string(static_cast<size_t>(1000 * i), static_cast<char>('a' + i % 7));
    ASSERT_OK(parts.AddDocument(piece));
    text += piece;
  }
  BpeTrainer whole = MakeTrainer({.vocab_size = 300});
  ASSERT_OK(whole.AddDocument(text));
  ASSERT_OK_AND_ASSIGN(const BpeVocab want, parts.Train());
  ASSERT_OK_AND_ASSIGN(const BpeVocab got, whole.Train());
  EXPECT_EQ(got.fingerprint(), want.fingerprint());
}

TEST(BpeTrainerTest, RefusesTextWithoutBytesAndTooMuchDifferentText) {
  BpeTrainer trainer = MakeTrainer({.vocab_size = 300, .max_distinct_bytes = 11});
  EXPECT_THAT(trainer.Train(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no document has any bytes")));
  ASSERT_OK(trainer.AddDocument(""));
  EXPECT_THAT(trainer.Train(), StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_OK(trainer.AddDocument("abc def abc def abc def"));
  EXPECT_THAT(trainer.AddDocument("ghijk"),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("more than 11 bytes (max_distinct_bytes)")));
}

TEST(BpeTrainerTest, RefusesOptionsOutOfRange) {
  const auto refuses = [](const BpeTrainerOptions& options, const char* words) {
    EXPECT_THAT(BpeTrainer::Create(options).status(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words)));
  };
  refuses({.vocab_size = 256}, "vocab_size is 256; range [257, 1048576]");
  refuses({.vocab_size = kMaxBpeVocabSize + 1}, "vocab_size is 1048577");
  refuses({.min_pair_count = 0}, "min_pair_count is 0");
  refuses({.max_token_bytes = 1}, "max_token_bytes is 1");
  refuses({.pattern = "(\\w+"}, "pattern");
  refuses({.special_tokens = {}}, "special_tokens is 0");
  refuses({.max_distinct_bytes = 0}, "max_distinct_bytes is 0");
}

TEST(BpeTrainerTest, RefusesToMixPatterns) {
  BpeTrainer words = MakeTrainer({});
  const BpeTrainer whole = MakeTrainer({.pattern = ""});
  EXPECT_THAT(words.Absorb(whole), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cannot add counts")));
}

TEST(BpeTrainerTest, ReportsProgressAndStopsWhenCancelled) {
  BpeTrainer trainer = MakeTrainer({.vocab_size = 600});
  CounterRng rng(5, "bpe_trainer_test", 0);
  std::string text;
  for (int i = 0; i < 20'000; ++i) text.push_back(static_cast<char>('a' + static_cast<int>(rng.NextBelow(26))));
  ASSERT_OK(trainer.AddDocument(text));
  int reports = 0;
  CancellationSource source;
  EXPECT_OK(trainer.Train(source.token(), [&](const Progress& progress) {
    EXPECT_EQ(progress.phase, "train_tokenizer");
    EXPECT_EQ(progress.total_units, 599);
    EXPECT_LE(progress.done_units, 599);
    ++reports;
  }));
  EXPECT_GE(reports, 4);
  source.Cancel();
  EXPECT_THAT(trainer.Train(source.token()), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(trainer.AddDocument(text, source.token()), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace clm
