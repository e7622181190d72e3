#include "core/coordinate/universe_import.h"

#include "core/coordinate/coverage.h"
#include "core/coordinate/folder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::Ids;
using ::clm::testing::Learn;
using ::clm::testing::MakeUniverse;
using ::clm::testing::RandomIds;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

UniverseFile FileOf(const Universe& universe) {
  UniverseFile file = {.universe = universe, .frequencies = {}, .tokenizer_sha256 = "", .options = {}, .stats = {}};
  file.frequencies.resize(universe.vocab_size() - universe.base_size(), 3);
  file.stats.resize(static_cast<size_t>(universe.layer_count()));
  return file;
}

TEST(UniverseImportTest, TakesOnTheBoundariesOfTheDocuments) {
  ASSERT_OK_AND_ASSIGN(const LearnedUniverse imported,
                       ImportUniverse(FileOf(MakeUniverse(10, {{{1, 2}}})), {.base_size = 10, .boundary_ids = {7, 0}}));
  EXPECT_THAT(imported.universe.boundary_ids(), ElementsAre(0, 7));
  EXPECT_EQ(imported.universe.Children(10), (SymbolPair{1, 2}));
  EXPECT_THAT(imported.frequencies, ElementsAre(3));
}

TEST(UniverseImportTest, RefusesWhatDoesNotFit) {
  const UniverseFile file = FileOf(MakeUniverse(10, {{{1, 2}}}, {0}));
  EXPECT_THAT(ImportUniverse(file, {.base_size = 11, .boundary_ids = {0}}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("11")));
  EXPECT_THAT(ImportUniverse(file, {.base_size = 10, .boundary_ids = {3}}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("[3]")));
  EXPECT_THAT(ImportUniverse(file, {.base_size = 10, .boundary_ids = {0}, .tokenizer_sha256 = std::string(64, 'a')}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("tokenizer")));
  EXPECT_THAT(ImportUniverse(FileOf(MakeUniverse(10, {{{1, 2}}})), {.base_size = 10, .boundary_ids = {2}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("boundary symbol 2")));
}

// What no fold makes can go: the documents fold to the same symbols under other ids.
TEST(UniverseImportTest, WithoutUnusedCoordinatesTheFoldsStay) {
  for (uint64_t round = 0; round < 30; ++round) {
    CounterRng rng(6, "import", round);
    std::vector<Ids> old_documents;
    for (int d = 0; d < 20; ++d) old_documents.push_back(RandomIds(rng, 8, 60));
    const LearnedUniverse learned = Learn({.layers = 5, .nodes_per_layer = 9}, 8, old_documents);
    std::vector<Ids> documents;
    CoverageCounter counter(learned.universe);
    for (int d = 0; d < 5; ++d) {
      documents.push_back(RandomIds(rng, 8, 30));
      ASSERT_OK(counter.Add(documents.back(), {}, 1));
    }
    ASSERT_OK_AND_ASSIGN(const ReducedUniverse reduced, DropUnused(learned, counter.Report().unused));
    EXPECT_LE(reduced.learned.universe.vocab_size(), learned.universe.vocab_size());
    const Folder before(learned.universe);
    const Folder after(reduced.learned.universe);
    for (const Ids& document : documents) {
      Ids want = before.Fold(document).value();
      for (SymbolId& id : want) id = reduced.new_ids[id];
      ASSERT_EQ(after.Fold(document).value(), want) << "round " << round;
    }
    EXPECT_EQ(reduced.learned.layers.size(), static_cast<size_t>(reduced.learned.universe.layer_count()));
  }
}

TEST(UniverseImportTest, PartsOfWhatStaysCannotGo) {
  const Universe universe = MakeUniverse(10, {{{1, 2}}, {{10, 3}}});
  const LearnedUniverse learned = {.universe = universe, .frequencies = {1, 1}, .layers = {{}, {}}};
  EXPECT_THAT(DropUnused(learned, Ids{10}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("coordinate 11")));
  ASSERT_OK_AND_ASSIGN(const ReducedUniverse reduced, DropUnused(learned, Ids{11}));
  EXPECT_EQ(reduced.learned.universe.layer_count(), 1);
  EXPECT_EQ(reduced.new_ids[11], kNoSymbol);
}

}  // namespace
}  // namespace clm
