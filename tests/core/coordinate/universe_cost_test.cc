#include "core/coordinate/universe_cost.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::MakeStream;
using ::clm::testing::Symbols;
using ::clm::testing::TemporaryDirectory;

constexpr PackedSymbol kEnd = kPackedSeparator;
constexpr double kUnits = 1 << 20;

uint64_t CostOf(const Symbols& build, const Symbols& selection, uint32_t vocab,
                const PairCounter::Options& options = {}, size_t threads = 1) {
  ThreadPool pool(threads);
  const SymbolStream build_stream = MakeStream(build, 7);
  const auto counts = CountSymbols(build_stream, vocab, pool, {});
  const auto cost = SelectionCost(build_stream, *counts, MakeStream(selection, 5), options, pool, {});
  CLM_CHECK(cost.ok());
  return *cost;
}

TEST(UniverseCostTest, IsTheStatedFormula) {
  // n(0) = 3, n(1) = 2, n(2) = 0; 0 is followed by 1 twice and by nothing else.
  const Symbols build = {0, 1, 0, 1, kEnd, 0, kEnd};
  const double p0 = (3 + 3.0 / 3) / (5 + 3);
  const double p1 = (2 + 3.0 / 3) / (5 + 3);
  const double p01 = (2 + 1 * p1) / (2 + 1);
  const double want = -std::log2(p0) - std::log2(p01) + 2 * kBitsPerStep;
  EXPECT_NEAR(static_cast<double>(CostOf(build, {0, 1, kEnd}, 3)) / kUnits, want, 1e-5);
}

TEST(UniverseCostTest, AbsentSymbolsCostMuchButNotForever) {
  const Symbols build = {0, 0, 0, 0, 0, 0, kEnd};
  EXPECT_GT(CostOf(build, {2, 2, kEnd}, 3), 2 * CostOf(build, {0, 0, kEnd}, 3));
  EXPECT_EQ(CostOf(build, {kEnd}, 3), 0U);
}

TEST(UniverseCostTest, ThreadsAndLimitsChangeNothing) {
  const TemporaryDirectory folder(testing::MemoryFolder());
  CounterRng rng(1, "cost", 0);
  Symbols build;
  for (int i = 0; i < 20'000; ++i) build.push_back(static_cast<PackedSymbol>(rng.NextBelow(600)));
  build.push_back(kEnd);
  const Symbols selection(build.begin() + 500, build.begin() + 3000);
  const uint64_t want = CostOf(build, selection, 600);
  EXPECT_EQ(CostOf(build, selection, 600, {.expected_symbols = 1'000'000}, 3), want);
  const PairCounter::Options limited = {
      .expected_symbols = 20'000, .memory_limit_bytes = 100'000, .files = &PosixFileSystem(), .folder = folder.path()};
  EXPECT_EQ(CostOf(build, selection, 600, limited, 2), want);
}

}  // namespace
}  // namespace clm
