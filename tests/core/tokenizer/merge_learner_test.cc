#include "core/tokenizer/merge_learner.h"

#include <gtest/gtest.h>

#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/base/thread_pool.h"
#include "core/tokenizer/bpe_reference.h"
#include "tests/core/tokenizer/random_vocab.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::RandomLetters;
using ::clm::testing::StatusIs;

std::map<std::string, uint64_t> RandomPieces(CounterRng& rng) {
  std::map<std::string, uint64_t> pieces;
  const uint64_t letters = 1 + rng.NextBelow(4);
  for (uint64_t i = 1 + rng.NextBelow(12); i > 0; --i) {
    pieces[RandomLetters(rng, 1 + rng.NextBelow(16), letters)] += 1 + rng.NextBelow(3);
  }
  return pieces;
}

BpeLearned Learn(const std::map<std::string, uint64_t>& pieces, const MergeLearnerOptions& options, bool backwards,
                 ThreadPool* threads = nullptr) {
  size_t bytes = 0;
  for (const auto& [piece, count] : pieces) bytes += piece.size();
  MergeLearner learner(options, bytes, pieces.size());
  if (backwards) {
    for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) learner.Add(piece->first, piece->second);
  } else {
    for (const auto& [piece, count] : pieces) learner.Add(piece, count);
  }
  EXPECT_OK(learner.Learn({}, {}, threads));
  return learner.TakeLearned();
}

// Few letters: runs, ties and pieces that vanish into one token are all common.
TEST(MergeLearnerTest, AgreesWithReferenceInEitherOrder) {
  for (uint64_t round = 0; round < 150; ++round) {
    CounterRng rng(3, "merge_learner_test", round);
    const std::map<std::string, uint64_t> pieces = RandomPieces(rng);
    const MergeLearnerOptions options{.max_tokens = 256 + static_cast<uint32_t>(rng.NextBelow(40)),
                                      .min_pair_count = 1 + rng.NextBelow(3),
                                      .max_token_bytes = round % 5 == 0 ? 3U : 64U};
    const BpeLearned want = BpeTrainReference(pieces, options);
    for (const bool backwards : {false, true}) {
      const BpeLearned got = Learn(pieces, options, backwards);
      ASSERT_EQ(got.merges, want.merges) << "round " << round;
      ASSERT_EQ(got.tokens, want.tokens) << "round " << round;
    }
  }
}

// Enough words for several parts and rounds; every limit on the index, and every number of threads, gives the same.
TEST(MergeLearnerTest, NeitherThreadsNorMemoryMatter) {
  CounterRng rng(5, "merge_learner_test", 0);
  std::map<std::string, uint64_t> pieces;
  for (int i = 0; i < 30'000; ++i) pieces[RandomLetters(rng, 2 + rng.NextBelow(8), 20)] += 1 + rng.NextBelow(40);
  const BpeLearned want = Learn(pieces, {.max_tokens = 900}, false);
  ThreadPool threads(3);
  for (const size_t max_index_bytes : {0U, 400'000U, 1'500'000U}) {
    const BpeLearned got = Learn(pieces, {.max_tokens = 900, .max_index_bytes = max_index_bytes}, true, &threads);
    ASSERT_EQ(got.merges, want.merges) << max_index_bytes << " bytes";
  }
  MergeLearner learner({.max_tokens = 900, .max_index_bytes = 1}, 0, 0);
  for (const auto& [piece, count] : pieces) learner.Add(piece, count);
  EXPECT_THAT(learner.Learn({}, {}), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(MergeLearnerTest, GoesOnWhereAnotherStopped) {
  for (uint64_t round = 0; round < 50; ++round) {
    CounterRng rng(6, "merge_learner_test", round);
    const std::map<std::string, uint64_t> pieces = RandomPieces(rng);
    const BpeLearned want = Learn(pieces, {.max_tokens = 280}, false);
    MergeLearner first({.max_tokens = 262}, 0, 0);
    for (const auto& [piece, count] : pieces) first.Add(piece, count);
    ASSERT_OK(first.Learn({}, {}));
    WordCells words = first.CompactWords();
    MergeLearner second({.max_tokens = 280}, first.TakeLearned());
    words.VisitWords([&](std::span<const SymbolId> tokens, uint64_t count) { second.AddTokens(tokens, count); });
    ASSERT_OK(second.Learn({}, {}));
    ASSERT_EQ(second.learned().merges, want.merges) << "round " << round;
  }
}

TEST(MergeLearnerTest, SavesAsItGoesAndStopsWhenThatFails) {
  std::vector<size_t> saved;
  const auto save = [&saved](const BpeLearned& learned) {
    saved.push_back(learned.merges.size());
    return saved.size() < 3 ? absl::OkStatus() : absl::InternalError("disk");
  };
  MergeLearner learner({.max_tokens = 300, .save_every = 2, .save = save}, 0, 0);
  learner.Add("abcdefghijklmnop", 2);
  EXPECT_THAT(learner.Learn({}, {}), StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(saved, (std::vector<size_t>{2, 4, 6}));
  EXPECT_EQ(learner.learned().merges.size(), 6);
}

TEST(MergeLearnerTest, LongPiecesOfFewLettersAreFast) {
  CounterRng rng(4, "merge_learner_test", 0);
  const BpeLearned run = Learn({{std::string(300'000, 'a'), 1}}, {.max_tokens = 4096}, false);
  EXPECT_EQ(run.merges.size(), 10);  // 2, 4, ... 1,024 letters
  const BpeLearned mixed = Learn({{RandomLetters(rng, 100'000, 4), 1}}, {.max_tokens = 1024}, false);
  EXPECT_EQ(mixed.tokens.size(), 1024);
}

TEST(MergeLearnerTest, CountsAboveThirtyTwoBitsDecide) {
  const uint64_t large = uint64_t{1} << 40;
  const BpeLearned learned = Learn({{"xy", large + 1}, {"ab", large}}, {.max_tokens = 257}, false);
  ASSERT_EQ(learned.merges.size(), 1);
  EXPECT_EQ(learned.merges[0], (BpeMerge{'x', 'y', 256}));
}

TEST(MergeLearnerTest, StopsWhenCancelled) {
  CancellationSource source;
  source.Cancel();
  MergeLearner learner({.max_tokens = 300}, 4, 1);
  learner.Add("aaaa", 5);
  EXPECT_THAT(learner.Learn(source.token(), {}), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace clm
