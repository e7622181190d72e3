#include "core/coordinate/coverage.h"

#include "core/coordinate/unfolder.h"
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

TEST(CoverageTest, SaysWhatEachLayerDid) {
  // 10 = 1 2, 11 = 3 4; 12 = 10 3, 13 = 11 11. Boundary 0.
  const Universe universe = MakeUniverse(10, {{{1, 2}, {3, 4}}, {{10, 3}, {11, 11}}}, {0});
  CoverageCounter counter(universe);
  ASSERT_OK(counter.Add(Ids{1, 2, 3, 5, 1, 2, 7, 0}, {}, 100));  // 12 5 10 7 0
  ASSERT_OK(counter.Add(Ids{}, {}, 0));
  const CoverageReport report = counter.Report();
  EXPECT_EQ(report.documents, 2U);
  EXPECT_EQ(report.original_bytes, 100U);
  EXPECT_EQ(report.base_symbols, 7U);
  EXPECT_EQ(report.symbols, 4U);
  ASSERT_EQ(report.layers.size(), 3U);
  EXPECT_EQ(report.layers[0],
            (LayerCoverage{.nodes = 9, .unused_nodes = 4, .folds = 7, .symbols = 2, .base_symbols = 2}));
  EXPECT_EQ(report.layers[1],
            (LayerCoverage{.nodes = 2, .unused_nodes = 1, .folds = 2, .symbols = 1, .base_symbols = 2}));
  EXPECT_EQ(report.layers[2],
            (LayerCoverage{.nodes = 2, .unused_nodes = 1, .folds = 1, .symbols = 1, .base_symbols = 3}));
  EXPECT_THAT(report.unused, ElementsAre(11, 13));
  EXPECT_DOUBLE_EQ(report.covered(), 5.0 / 7);
  EXPECT_DOUBLE_EQ(report.symbols_per_base_symbol(), 4.0 / 7);
  EXPECT_DOUBLE_EQ(report.symbols_per_byte(), 0.04);
}

// On the documents it was learned from, a universe made each coordinate as often as learning says.
TEST(CoverageTest, FoldsOfTheBuildDocumentsAreTheFrequencies) {
  CounterRng rng(6, "coverage", 0);
  std::vector<Ids> documents;
  for (int d = 0; d < 30; ++d) documents.push_back(RandomIds(rng, 5, 80));
  const LearnedUniverse learned = Learn({.layers = 4, .nodes_per_layer = 6}, 5, documents);
  CoverageCounter all(learned.universe);
  CoverageCounter rest(learned.universe);
  for (size_t d = 0; d < documents.size(); ++d) {
    ASSERT_OK((d % 3 == 0 ? rest : all).Add(documents[d], {}, documents[d].size()));
  }
  all.Merge(rest);
  const CoverageReport report = all.Report();
  EXPECT_EQ(report.documents, 30U);
  EXPECT_EQ(report.base_symbols, report.original_bytes);
  uint64_t folds = 0;
  uint64_t frequencies = 0;
  for (size_t l = 1; l < report.layers.size(); ++l) folds += report.layers[l].folds;
  for (const uint64_t frequency : learned.frequencies) frequencies += frequency;
  EXPECT_EQ(folds, frequencies);
  EXPECT_EQ(report.symbols, learned.layers.back().symbols_after);
}

TEST(CoverageTest, NothingIsNoDivisionByZero) {
  const CoverageReport report = CoverageCounter(MakeUniverse(3, {})).Report();
  EXPECT_EQ(report.symbols_per_byte(), 0);
  EXPECT_EQ(report.covered(), 0);
}

TEST(CoverageTest, ABadDocumentIsNotCounted) {
  CoverageCounter counter(MakeUniverse(3, {}));
  EXPECT_THAT(counter.Add(Ids{3}, {}, 9), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_EQ(counter.Report().documents, 0U);
}

}  // namespace
}  // namespace clm
