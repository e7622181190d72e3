#include "core/tokenizer/spilling_learner.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/base/fault_file_system.h"
#include "core/base/rng.h"
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
using Pieces = std::map<std::string, uint64_t>;

absl::Status AddAll(const Pieces& pieces, SpillingLearner& learner) {
  for (const auto& [piece, count] : pieces) {
    std::vector<SymbolId> tokens;
    for (const char byte : piece) tokens.push_back(static_cast<uint8_t>(byte));
    const absl::Status status = learner.AddTokens(tokens, count);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// With room for all words, for some, for a few, and for none.
TEST(SpillingLearnerTest, AgreesWithReferenceInAnyMemory) {
  const TemporaryDirectory folder(MemoryFolder());
  uint64_t lone_joins = 0;
  uint64_t rounds = 0;
  for (uint64_t round = 0; round < 12; ++round) {
    CounterRng rng(1, "spilling_learner_test", round);
    Pieces pieces;
    const uint64_t letters = 2 + rng.NextBelow(4);
    for (int i = 0; i < 60; ++i) {
      pieces[RandomLetters(rng, 1 + rng.NextBelow(10), letters)] += 1 + rng.NextBelow(rng.NextBelow(4) == 0 ? 100 : 4);
    }
    const MergeLearnerOptions options{.max_tokens = 256 + static_cast<uint32_t>(rng.NextBelow(60)),
                                      .min_pair_count = 1 + rng.NextBelow(3),
                                      .max_token_bytes = round % 4 == 0 ? 4U : 64U};
    const BpeLearned want = BpeTrainReference(pieces, options);
    for (const size_t cells : {100'000U, 250U, 60U, 0U}) {
      ScratchFolder scratch(PosixFileSystem(), folder.File("scratch"));
      SpillingLearner learner({.learner = options, .max_word_cells = cells}, BytesOnly(), scratch);
      ASSERT_OK(AddAll(pieces, learner));
      ASSERT_OK(learner.Learn({}, {}));
      ASSERT_EQ(learner.learned().merges, want.merges) << "round " << round << " cells " << cells;
      ASSERT_EQ(learner.learned().tokens, want.tokens);
      lone_joins += learner.lone_joins();
      rounds += learner.rounds();
    }
  }
  EXPECT_GT(lone_joins, 100) << "the ways without memory were not taken";
  EXPECT_GT(rounds, 100);
}

TEST(SpillingLearnerTest, LearnsNothingFromNothing) {
  const TemporaryDirectory folder(MemoryFolder());
  ScratchFolder scratch(PosixFileSystem(), folder.File("scratch"));
  SpillingLearner learner({.learner = {.max_tokens = 300}}, BytesOnly(), scratch);
  ASSERT_OK(learner.AddTokens(std::vector<SymbolId>{'a'}, 5));
  ASSERT_OK(learner.Learn({}, {}));
  EXPECT_TRUE(learner.learned().merges.empty());
}

TEST(SpillingLearnerTest, ReportsCancellationAndFailuresOfTheDisk) {
  const TemporaryDirectory folder(MemoryFolder());
  const Pieces pieces = {{"abcabc", 3}, {"bcab", 5}, {"xyz", 2}};
  CancellationSource source;
  source.Cancel();
  for (uint64_t n = 1;; ++n) {
    FaultFileSystem files(PosixFileSystem(), folder.path());
    ScratchFolder scratch(files, folder.File("scratch"));
    SpillingLearner learner({.learner = {.max_tokens = 300}, .max_word_cells = 8}, BytesOnly(), scratch);
    files.FailOperation(n, absl::ResourceExhaustedError("no space"));
    absl::Status status = AddAll(pieces, learner);
    if (status.ok()) status = learner.Learn({}, {});
    if (!files.fault_happened()) break;
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted)) << "operation " << n;
  }
  ScratchFolder scratch(PosixFileSystem(), folder.File("scratch"));
  SpillingLearner learner({.learner = {.max_tokens = 300}}, BytesOnly(), scratch);
  ASSERT_OK(AddAll(pieces, learner));
  EXPECT_THAT(learner.Learn(source.token(), {}), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace clm
