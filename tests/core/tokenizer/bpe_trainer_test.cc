#include "core/tokenizer/bpe_trainer.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "core/base/thread_pool.h"
#include "core/tokenizer/bpe_reference.h"
#include "tests/core/tokenizer/random_vocab.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::MemoryFolder;
using ::clm::testing::RandomLetters;
using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
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
  refuses({.max_distinct_bytes = (uint64_t{1} << 31) + 1}, "max_distinct_bytes is 2147483649");
  refuses({.memory_limit_bytes = 1000, .scratch_folder = "x"}, "memory_limit_bytes is 1000; range [67895296, ");
  refuses({.memory_limit_bytes = uint64_t{1} << 30}, "needs a scratch_folder");
  refuses({.superword_from = 255}, "superword_from is 255; range [256, 4095]");
  refuses({.superword_from = 4096}, "superword_from is 4096");
  refuses({.superword_from = 300, .superword_chunk_bytes = 1}, "superword_chunk_bytes is 1; range [2, 1048576]");
}

TEST(BpeTrainerTest, RefusesToMixPatternsAndChunks) {
  BpeTrainer words = MakeTrainer({});
  const BpeTrainer whole = MakeTrainer({.pattern = ""});
  const BpeTrainer chunks = MakeTrainer({.superword_from = 300});
  EXPECT_THAT(words.Absorb(whole), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cannot add counts")));
  EXPECT_THAT(words.Absorb(chunks), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("chunks 512")));
}

Sha256Digest Train(BpeTrainer trainer, const BpeTrainRun& run = {}) {
  absl::StatusOr<BpeVocab> vocab = trainer.Train(run);
  EXPECT_OK(vocab);
  return vocab.ok() ? vocab->fingerprint() : Sha256Digest{};
}

// Threads, streams, a limit on memory, a file in between: all the same counts.
TEST(BpeTrainerTest, TheWayOfTheTextDoesNotMatter) {
  const TemporaryDirectory folder(MemoryFolder());
  const std::vector<std::string> documents = Documents();
  const std::vector<absl::string_view> views(documents.begin(), documents.end());
  uint64_t total_bytes = 0;
  for (const std::string& document : documents) total_bytes += document.size();
  ThreadPool threads(3);
  for (const uint32_t superword_from : {0U, 270U}) {
    const BpeTrainerOptions options{.vocab_size = 330, .superword_from = superword_from, .superword_chunk_bytes = 40};
    BpeTrainerOptions limited = options;
    limited.memory_limit_bytes = uint64_t{80} << 20;
    limited.scratch_folder = folder.File("scratch");

    BpeTrainer one = MakeTrainer(options);
    for (const std::string& document : documents) ASSERT_OK(one.AddDocument(document));
    ASSERT_OK(one.Save(folder.File("counts")));
    const Sha256Digest want = Train(std::move(one));

    for (const BpeTrainerOptions& way : {options, limited}) {
      BpeTrainer together = MakeTrainer(way);
      ASSERT_OK(together.AddDocuments(views, threads));
      EXPECT_EQ(Train(std::move(together), {.threads = &threads}), want);

      BpeTrainer parts = MakeTrainer(way);
      for (const std::string& document : documents) {
        for (size_t begin = 0; begin < document.size(); begin += 7) {
          ASSERT_OK(parts.Push(absl::string_view(document).substr(begin, 7)));
        }
        ASSERT_OK(parts.Finish());
      }
      EXPECT_EQ(Train(std::move(parts)), want);

      ASSERT_OK_AND_ASSIGN(BpeTrainer loaded, BpeTrainer::Load(way, folder.File("counts")));
      EXPECT_EQ(loaded.document_bytes(), total_bytes);
      BpeTrainer absorbs = MakeTrainer(way);
      ASSERT_OK(absorbs.Absorb(loaded));
      EXPECT_EQ(Train(std::move(absorbs)), want);
      EXPECT_EQ(Train(std::move(loaded)), want);
    }
    EXPECT_FALSE(PosixFileSystem().Exists(folder.File("scratch")));
  }
}

TEST(BpeTrainerTest, RefusesToLearnFromAnOpenDocument) {
  BpeTrainer trainer = MakeTrainer({});
  ASSERT_OK(trainer.Push("one two"));
  EXPECT_THAT(trainer.Train(), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not finished")));
  EXPECT_THAT(trainer.Save("unused"), StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_OK(trainer.Finish());
  EXPECT_OK(trainer.Train());
}

TEST(BpeTrainerTest, SuperwordsAgreeWithReference) {
  const std::vector<std::string> documents = Documents();
  const std::unique_ptr<const Pretokenizer> gpt2 = *MakePretokenizer(kGpt2Pattern);
  std::map<std::vector<std::string>, uint64_t> chunks;
  BpeTrainer trainer = MakeTrainer({.vocab_size = 330, .superword_from = 275, .superword_chunk_bytes = 30});
  for (const std::string& document : documents) {
    ASSERT_OK(trainer.AddDocument(document));
    std::vector<uint32_t> ends;
    gpt2->Split(document, true, ends);
    std::vector<std::string> chunk;
    size_t chunk_bytes = 0;
    size_t begin = 0;
    for (const uint32_t end : ends) {
      const std::string piece = document.substr(begin, end - begin);
      begin = end;
      if (chunk_bytes + piece.size() > 30) {
        ++chunks[std::exchange(chunk, {})];
        chunk_bytes = 0;
      }
      chunk.push_back(piece);
      chunk_bytes += piece.size();
      if (piece.find('\n') == std::string::npos) continue;
      ++chunks[std::exchange(chunk, {})];
      chunk_bytes = 0;
    }
    if (!chunk.empty()) ++chunks[chunk];
  }
  const BpeLearned want =
      BpeTrainSuperwordsReference(chunks, {.max_tokens = 329, .min_pair_count = 2, .max_token_bytes = 1024}, 275);
  ASSERT_OK_AND_ASSIGN(const BpeVocab vocab, trainer.Train());
  std::vector<BpeMerge> got(vocab.merges().begin(), vocab.merges().end());
  EXPECT_EQ(got.size(), 275U - 256) << "the others are superwords";
  got.insert(got.end(), vocab.superwords().merges.begin(), vocab.superwords().merges.end());
  EXPECT_EQ(got, want.merges);
  EXPECT_EQ(vocab.superwords().chunk_bytes, 30U);
  EXPECT_EQ(vocab.size(), 330);
}

// Stopped after every few merges, and begun anew from the counts each time.
TEST(BpeTrainerTest, GoesOnWhereItWasStopped) {
  const TemporaryDirectory folder(MemoryFolder());
  for (const uint32_t superword_from : {0U, 300U}) {
    const std::string state = folder.File("state" + std::to_string(superword_from));
    const BpeTrainerOptions options{.vocab_size = 500, .superword_from = superword_from};
    BpeTrainer first = MakeTrainer(options);
    CounterRng rng(6, "bpe_trainer_test", 0);
    for (int i = 0; i < 300; ++i) ASSERT_OK(first.AddDocument(RandomLetters(rng, 20, 26) + " it"));
    ASSERT_OK(first.Save(folder.File("counts")));
    const Sha256Digest want = Train(std::move(first));
    int attempts = 0;
    while (true) {
      ASSERT_LT(++attempts, 20);
      ASSERT_OK_AND_ASSIGN(BpeTrainer trainer, BpeTrainer::Load(options, folder.File("counts")));
      CancellationSource source;
      const auto stop = [&](const Progress&) { source.Cancel(); };
      const absl::StatusOr<BpeVocab> vocab =
          trainer.Train(BpeTrainRun{.cancel = source.token(), .progress = stop, .state_path = state});
      if (!vocab.ok()) {
        EXPECT_THAT(vocab, StatusIs(absl::StatusCode::kCancelled));
        if (superword_from != 0 && attempts > 2) break;  // each attempt begins the second stage anew
        continue;
      }
      EXPECT_EQ(vocab->fingerprint(), want);
      break;
    }
    EXPECT_GT(attempts, 1);
    ASSERT_OK_AND_ASSIGN(BpeTrainer last, BpeTrainer::Load(options, folder.File("counts")));
    EXPECT_EQ(Train(std::move(last), {.state_path = state}), want);

    BpeTrainer other = MakeTrainer(options);
    ASSERT_OK(other.AddDocument("other text"));
    EXPECT_THAT(other.Train(BpeTrainRun{.state_path = state}),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another training")));
  }
}

TEST(BpeTrainerTest, RefusesCountsThatAreDamagedOrOfAnotherPattern) {
  const TemporaryDirectory folder(MemoryFolder());
  BpeTrainer trainer = MakeTrainer({});
  ASSERT_OK(trainer.AddDocument("one two two"));
  ASSERT_OK(trainer.Save(folder.File("counts")));
  EXPECT_THAT(BpeTrainer::Load({.pattern = ""}, folder.File("counts")).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("the options say")));
  ASSERT_OK_AND_ASSIGN(const std::string sound, ReadFile(PosixFileSystem(), folder.File("counts"), 10'000));
  for (size_t at = 0; at < sound.size(); ++at) {
    ASSERT_OK(WriteFileAtomically(PosixFileSystem(), folder.File("damaged"), sound.substr(0, at)));
    EXPECT_THAT(BpeTrainer::Load({}, folder.File("damaged")).status(), StatusIs(absl::StatusCode::kDataLoss));
  }
  EXPECT_THAT(BpeTrainer::Load({}, folder.File("none")).status(), StatusIs(absl::StatusCode::kNotFound));
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
