#include "core/coordinate/folder.h"

#include <algorithm>

#include "core/coordinate/fold_reference.h"
#include "core/coordinate/unfolder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::Describe;
using ::clm::testing::Ids;
using ::clm::testing::Learn;
using ::clm::testing::MakeUniverse;
using ::clm::testing::RandomIds;
using ::clm::testing::RandomStarts;
using ::clm::testing::RandomUniverse;
using ::clm::testing::Starts;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<JoinRule> kAllRules = {JoinRule::kAny, JoinRule::kWithinPretoken, JoinRule::kWholePretokens};

Ids MustFold(const Folder& folder, const Ids& ids, const Starts& starts = {}) {
  auto folded = folder.Fold(ids, starts);
  CLM_CHECK(folded.ok());
  return *std::move(folded);
}

// Acceptance check 2: whatever the table, unfolding gives back what was folded.
TEST(FolderTest, UnfoldingGivesBackWhatWasFolded) {
  uint64_t sequences = 0;
  for (uint64_t round = 0; sequences < 1'000'000; ++round) {
    CounterRng rng(2, "fold_roundtrip", round);
    const uint32_t base_size = 1 + static_cast<uint32_t>(rng.NextBelow(5));
    const Universe universe = RandomUniverse(rng, base_size, 8, 6);
    const Folder folder(universe);
    const Unfolder unfolder(universe);
    for (int i = 0; i < 1000; ++i, ++sequences) {
      const Ids ids = RandomIds(rng, base_size, 10);
      Ids restored;
      ASSERT_OK(unfolder.Unfold(MustFold(folder, ids), restored));
      ASSERT_EQ(restored, ids) << "round " << round << " sequence " << i << " " << Describe(universe);
    }
  }
}

TEST(FolderTest, AgreesWithTheReferenceUnderEveryRule) {
  for (uint64_t round = 0; round < 3000; ++round) {
    CounterRng rng(3, "fold_reference", round);
    const Universe universe = RandomUniverse(rng, 3, 6, 5, kAllRules);
    const Ids ids = RandomIds(rng, 3, 40);
    const Starts starts = RandomStarts(rng, ids.size());
    ASSERT_EQ(MustFold(Folder(universe), ids, starts), FoldReference(universe, ids, starts))
        << "round " << round << " " << Describe(universe);
  }
}

// Acceptance check 3: nothing folds to nothing, and a document of one boundary symbol to itself.
TEST(FolderTest, EmptyAndBoundaryOnlyDocumentsStayAsTheyAre) {
  const Folder folder(MakeUniverse(10, {{{1, 2}}}, {0}));
  EXPECT_THAT(MustFold(folder, {}), IsEmpty());
  EXPECT_THAT(MustFold(folder, {0}), ElementsAre(0));
  EXPECT_THAT(MustFold(folder, {0, 0, 0}), ElementsAre(0, 0, 0));
  EXPECT_THAT(MustFold(folder, {1, 0, 2, 1, 2, 0}), ElementsAre(1, 0, 2, 10, 0));
}

TEST(FolderTest, InputsBeyondTheBaseAreRefusedWithTheirPosition) {
  const Folder folder(MakeUniverse(10, {{{1, 2}}}));
  EXPECT_THAT(folder.Fold(Ids{1, 2, 10}),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("symbol 10 at position 2")));
}

TEST(FolderTest, MissingPretokenStartsAreRefused) {
  const Folder folder(MakeUniverse(10, {{{1, 2}}}, {}, JoinRule::kWithinPretoken));
  EXPECT_THAT(folder.Fold(Ids{1, 2, 3}, Starts{1, 0}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("each of 3 symbols, got 2")));
}

// The fewest symbols that any choice of disjoint foldable pairs leaves, by dynamic programming over prefixes.
size_t FewestSymbols(const PairTable& table, const Ids& ids) {
  std::vector<size_t> best(ids.size() + 1, 0);
  for (size_t i = 1; i <= ids.size(); ++i) {
    best[i] = best[i - 1] + 1;
    if (i >= 2 && table.Find(ids[i - 2], ids[i - 1]) != kNoSymbol) best[i] = std::min(best[i], best[i - 2] + 1);
  }
  return best[ids.size()];
}

// Acceptance check 15: no parse of one layer is shorter than the greedy one.
TEST(FolderTest, GreedyIsShortestWithinALayer) {
  for (uint64_t round = 0; round < 20'000; ++round) {
    CounterRng rng(15, "fold_optimal", round);
    const Universe universe = RandomUniverse(rng, 3, 1, 6);
    const PairTable table(universe.Pairs(1), 3);
    const Ids ids = RandomIds(rng, 3, 14);
    ASSERT_EQ(MustFold(Folder(universe), ids).size(), FewestSymbols(table, ids)) << "round " << round;
  }
}

TEST(FolderTest, KernelStopsAndGoesOnAnywhere) {
  const Universe universe = MakeUniverse(10, {{{5, 5}}});
  const PairTable table(universe.Pairs(1), 10);
  const FoldPass pass = {.table = &table};
  for (size_t stop = 0; stop <= 7; ++stop) {
    std::vector<PackedSymbol> symbols(7, 5);
    FoldCursor cursor;
    FoldLayerInPlace(pass, symbols, stop, cursor);
    FoldLayerInPlace(pass, symbols, symbols.size(), cursor);
    ASSERT_EQ(cursor.read, 7U);
    symbols.resize(cursor.write);
    ASSERT_THAT(symbols, ElementsAre(10, 10, 10, 5)) << "stop " << stop;
  }
}

TEST(FolderTest, KernelCountsItsFolds) {
  const Universe universe = MakeUniverse(10, {{{5, 5}, {5, 6}}});
  const PairTable table(universe.Pairs(1), 10);
  std::vector<PackedSymbol> symbols = {5, 5, 5, 6, 5, 5, 6};
  uint64_t uses[2] = {0, 0};
  FoldCursor cursor;
  FoldLayerInPlace({.table = &table, .uses = uses}, symbols, symbols.size(), cursor);
  EXPECT_THAT(uses, ElementsAre(2, 1)) << "(5 5)(5 6)(5 5) 6";
}

// Acceptance check 14: however a stream is cut, the ids are those of one call; an any-joining universe of L layers
// never holds back more than 2^L - 1 base symbols.
// A long document is cut anywhere and folded by several threads, also where every pair folds and where a pretoken is
// longer than a piece.
TEST(FolderTest, ThreadsFoldALongDocumentAsOne) {
  for (uint64_t round = 0; round < 9; ++round) {
    CounterRng rng(6, "long_document", round);
    const std::vector<JoinRule> rules = {kAllRules[round % 3], kAllRules[round / 3 % 3]};
    const Universe universe = RandomUniverse(rng, 1 + static_cast<uint32_t>(round % 4), 6, 5, rules);
    const Folder folder(universe);
    Ids ids(400'000);
    Starts starts(ids.size());
    const uint64_t mean_pretoken = round % 4 == 3 ? 300'000 : 4;
    for (size_t i = 0; i < ids.size(); ++i) {
      ids[i] = static_cast<SymbolId>(rng.NextBelow(universe.base_size()));
      starts[i] = rng.NextBelow(mean_pretoken) == 0 ? 1 : 0;
    }
    ThreadPool pool(3);
    ASSERT_OK_AND_ASSIGN(const Ids got, folder.Fold(ids, starts, pool, {}));
    ASSERT_EQ(got, MustFold(folder, ids, starts)) << "round " << round << " " << Describe(universe);
  }
  const Folder folder(MakeUniverse(5, {{{1, 2}}}, {}, JoinRule::kWithinPretoken));
  ThreadPool pool(2);
  EXPECT_THAT(folder.Fold(Ids(300'000, 7), Starts(300'000), pool, {}), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(folder.Fold(Ids(300'000, 1), Starts(3), pool, {}), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(StreamingFolderTest, CutsDoNotChangeTheSymbols) {
  for (uint64_t round = 0; round < 300; ++round) {
    CounterRng rng(14, "fold_streaming", round);
    const bool plain = round % 2 == 0;
    const Universe universe = plain ? RandomUniverse(rng, 2, 4, 4) : RandomUniverse(rng, 2, 6, 4, kAllRules);
    const Folder folder(universe);
    const Ids ids = RandomIds(rng, 2, 40);
    const Starts starts = RandomStarts(rng, ids.size());
    const Ids want = MustFold(folder, ids, starts);
    const uint64_t most_held = plain ? (uint64_t{1} << universe.layer_count()) - 1 : ids.size();
    StreamingFolder streaming(folder);
    for (size_t cut = 0; cut <= ids.size(); ++cut) {
      Ids got;
      ASSERT_OK(streaming.Push(std::span(ids).first(cut), std::span(starts).first(cut), got));
      ASSERT_LE(streaming.held_back(), most_held);
      ASSERT_OK(streaming.Push(std::span(ids).subspan(cut), std::span(starts).subspan(cut), got));
      ASSERT_LE(streaming.held_back(), most_held) << Describe(universe);
      streaming.Finish(got);
      ASSERT_EQ(streaming.held_back(), 0U);
      ASSERT_EQ(got, want) << "round " << round << " cut " << cut << " " << Describe(universe);
    }
  }
}

TEST(StreamingFolderTest, OneSymbolAtATimeGivesTheSame) {
  for (uint64_t round = 0; round < 300; ++round) {
    CounterRng rng(14, "fold_single", round);
    const Universe universe = RandomUniverse(rng, 2, 6, 4, kAllRules);
    const Folder folder(universe);
    const Ids ids = RandomIds(rng, 2, 40);
    const Starts starts = RandomStarts(rng, ids.size());
    StreamingFolder streaming(folder);
    Ids got;
    for (size_t i = 0; i < ids.size(); ++i) {
      ASSERT_OK(streaming.Push(std::span(ids).subspan(i, 1), std::span(starts).subspan(i, 1), got));
    }
    streaming.Finish(got);
    ASSERT_EQ(got, MustFold(folder, ids, starts)) << "round " << round << " " << Describe(universe);
  }
}

TEST(StreamingFolderTest, SymbolsThatFoldWithNothingAreNotHeldBack) {
  const Folder folder(MakeUniverse(10, {{{1, 2}}, {{10, 3}}}, {0}));
  StreamingFolder streaming(folder);
  Ids out;
  ASSERT_OK(streaming.Push(Ids{1, 2}, {}, out));
  EXPECT_THAT(out, IsEmpty()) << "(1 2) could still take a 3";
  ASSERT_OK(streaming.Push(Ids{0}, {}, out));
  EXPECT_THAT(out, ElementsAre(10, 0));
  EXPECT_EQ(streaming.held_back(), 0U);
}

TEST(StreamingFolderTest, RefusalCountsFromTheStartOfTheDocumentAndChangesNothing) {
  const Folder folder(MakeUniverse(10, {{{1, 2}}}));
  StreamingFolder streaming(folder);
  Ids out;
  ASSERT_OK(streaming.Push(Ids{5, 5, 1}, {}, out));
  EXPECT_THAT(streaming.Push(Ids{2, 99}, {}, out),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("symbol 99 at position 4")));
  ASSERT_OK(streaming.Push(Ids{2}, {}, out));
  streaming.Finish(out);
  EXPECT_THAT(out, ElementsAre(5, 5, 10));
}

}  // namespace
}  // namespace clm
