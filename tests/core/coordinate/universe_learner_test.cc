#include "core/coordinate/universe_learner.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::AllSymbols;
using ::clm::testing::MakeStream;
using ::clm::testing::StatusIs;
using ::clm::testing::Symbols;
using ::clm::testing::TemporaryDirectory;

using Pair = std::pair<SymbolId, SymbolId>;

// The method word for word: every layer counts everything anew, with maps, and folds one symbol at a time.
class SlowLearner {
 public:
  SlowLearner(UniverseOptions options, uint32_t base_size, Symbols symbols)
      : options_(std::move(options)), next_id_(base_size), symbols_(std::move(symbols)), lengths_(base_size, 1) {}

  std::vector<SymbolPair> LearnLayer(const LayerPlan& plan) {
    std::vector<std::pair<double, Pair>> order;
    for (const auto& [pair, count] : CountPairs(plan.rule)) {
      const double score = ScoreOf(plan.strategy, pair, count);
      const bool is_candidate = count >= options_.min_count && !known_.contains(pair) && score > 0 &&
                                lengths_[pair.first] + lengths_[pair.second] <= options_.max_expansion_length;
      if (is_candidate) order.push_back({-score, pair});
    }
    std::sort(order.begin(), order.end());
    order.resize(std::min(order.size(), plan.nodes));
    std::map<Pair, SymbolId> table;
    std::vector<SymbolPair> pairs;
    for (const auto& [score, pair] : order) {
      known_.insert(pair);
      lengths_.push_back(lengths_[pair.first] + lengths_[pair.second]);
      table[pair] = next_id_++;
      pairs.push_back({pair.first, pair.second});
    }
    Fold(plan.rule, table);
    return pairs;
  }

  const Symbols& symbols() const { return symbols_; }

 private:
  PackedSymbol At(size_t t) const { return t < symbols_.size() ? symbols_[t] : kPackedSeparator; }

  std::map<Pair, int64_t> CountPairs(JoinRule rule) const {
    std::map<Pair, int64_t> counts;
    for (size_t t = 0; t < symbols_.size(); ++t) {
      if (RuleAllows(rule, At(t), At(t + 1), At(t + 2))) ++counts[{At(t) & kIdMask, At(t + 1) & kIdMask}];
    }
    return counts;
  }

  double ScoreOf(PairStrategy strategy, const Pair& pair, int64_t pair_count) const {
    std::map<SymbolId, double> of;
    double total = 0;
    if (strategy != PairStrategy::kCount) {
      for (const PackedSymbol symbol : symbols_) {
        if (symbol == kPackedSeparator) continue;
        ++of[symbol & kIdMask];
        ++total;
      }
    }
    const auto count = static_cast<double>(pair_count);
    const double left = of[pair.first];
    const double right = of[pair.second];
    if (strategy == PairStrategy::kPmi) return count * std::log(count * total / (left * right));
    if (strategy == PairStrategy::kConditional) return count * std::max(count / left, count / right);
    return count;
  }

  void Fold(JoinRule rule, const std::map<Pair, SymbolId>& table) {
    Symbols folded;
    for (size_t t = 0; t < symbols_.size();) {
      const auto found = table.find({At(t) & kIdMask, At(t + 1) & kIdMask});
      const bool folds = found != table.end() && RuleAllows(rule, At(t), At(t + 1), At(t + 2));
      folded.push_back(folds ? found->second | (At(t) & kPretokenStart) : At(t));
      t += folds ? 2 : 1;
    }
    symbols_ = std::move(folded);
  }

  const UniverseOptions options_;
  SymbolId next_id_;
  Symbols symbols_;
  std::vector<int64_t> lengths_;
  std::set<Pair> known_;
};

// Words of a small language, so that pairs recur and thin layers fold few places.
Symbols RandomText(CounterRng& rng, uint32_t vocab, size_t words) {
  Symbols symbols;
  for (size_t w = 0; w < words; ++w) {
    CounterRng word(77, "word", rng.NextBelow(60));
    const uint64_t length = 1 + word.NextBelow(5);
    for (uint64_t i = 0; i < length; ++i) {
      symbols.push_back(static_cast<PackedSymbol>(word.NextBelow(vocab)) | (i == 0 ? kPretokenStart : 0));
    }
    if (rng.NextBelow(40) == 0) symbols.push_back(kPackedSeparator);
  }
  symbols.push_back(kPackedSeparator);
  return symbols;
}

// Fat layers are recounted, thin ones follow the folds: the layers are those of the slow twin, whatever the strategy,
// the rule, the chunks, the threads and the limit.
TEST(UniverseLearnerTest, AgreesWithARecountOfEveryLayer) {
  const TemporaryDirectory folder(testing::MemoryFolder());
  constexpr PairStrategy kStrategies[] = {PairStrategy::kCount, PairStrategy::kPmi, PairStrategy::kConditional};
  constexpr JoinRule kRules[] = {JoinRule::kAny, JoinRule::kWithinPretoken, JoinRule::kWholePretokens};
  for (uint64_t round = 0; round < 30; ++round) {
    CounterRng rng(3, "learner", round);
    const uint32_t vocab = round % 2 == 0 ? 6 : 600;
    const Symbols symbols = RandomText(rng, vocab, 250);
    UniverseLearner::Options options;
    options.base_size = vocab;
    options.universe.min_count = 1 + static_cast<int64_t>(rng.NextBelow(3));
    options.universe.max_expansion_length = 2 + static_cast<int64_t>(rng.NextBelow(20));
    if (round % 4 == 0) {
      options.counter_limit_bytes = 4000;
      options.files = &PosixFileSystem();
      options.folder = folder.path();
    }
    std::vector<LayerPlan> plan;
    for (int l = 0; l < 12; ++l) {
      // The same rule for some layers, so that counts are carried over.
      plan.push_back({.rule = kRules[(round + static_cast<uint64_t>(l) / 4) % 3],
                      .strategy = kStrategies[round % 3],
                      .nodes = 1 + rng.NextBelow(round % 5 == 0 ? 60 : 4)});
    }
    UniverseLearner learner(options);
    SlowLearner twin(options.universe, vocab, symbols);
    ThreadPool pool(1 + round % 3);
    ASSERT_OK(learner.Start(MakeStream(symbols, 1 + rng.NextBelow(300)), MakeStream({}), {}, pool, {}));
    for (size_t l = 0; l < plan.size(); ++l) {
      const std::vector<SymbolPair> want = twin.LearnLayer(plan[l]);
      const LayerPlan* const next = l + 1 < plan.size() ? &plan[l + 1] : nullptr;
      ASSERT_OK_AND_ASSIGN(const bool found, learner.LearnLayer(plan[l], next, pool, {}));
      ASSERT_EQ(found, !want.empty()) << "round " << round << " layer " << l;
      ASSERT_TRUE(!found || learner.layers().back().pairs == want) << "round " << round << " layer " << l;
      ASSERT_EQ(AllSymbols(learner.build()), twin.symbols()) << "round " << round << " layer " << l;
    }
    ThreadPool one(1);
    ASSERT_OK_AND_ASSIGN(const auto counts, CountSymbols(learner.build(), learner.next_id(), one, {}));
    EXPECT_EQ(learner.symbol_counts(), counts);
  }
}

TEST(UniverseLearnerTest, KnownLayersAreFoldedAndNotLearnedAgain) {
  UniverseLearner learner({.universe = {.layers = 2, .nodes_per_layer = 1, .min_count = 1}, .base_size = 4});
  ThreadPool pool(1);
  ASSERT_OK(learner.Start(MakeStream({1, 2, 1, 2, 3, kPackedSeparator}), MakeStream({}), {}, pool, {}));
  ASSERT_OK(learner.FoldKnownLayer({.rule = JoinRule::kAny, .pairs = {{1, 2}, {3, 3}}}, 9, pool, {}));
  EXPECT_EQ(AllSymbols(learner.build()), (Symbols{4, 4, 3, kPackedSeparator}));
  EXPECT_EQ(learner.stats().back(), (UniverseLayerStats{.candidates = 9, .symbols_before = 5, .symbols_after = 3}));
  EXPECT_EQ(learner.frequencies(), (std::vector<uint64_t>{2, 0}));
  ASSERT_OK_AND_ASSIGN(const bool found, learner.LearnLayer({.nodes = 5}, nullptr, pool, {}));
  ASSERT_TRUE(found);
  EXPECT_EQ(learner.layers().back().pairs, (std::vector<SymbolPair>{{4, 3}, {4, 4}}));
}

TEST(UniverseLearnerTest, SymbolsOutsideTheStreamsCount) {
  UniverseLearner learner({.universe = {.min_count = 1}, .base_size = 3});
  ThreadPool pool(1);
  const std::vector<uint64_t> outside = {0, 5, 7};
  ASSERT_OK(learner.Start(MakeStream({1, 2, kPackedSeparator}), MakeStream({}), outside, pool, {}));
  EXPECT_EQ(learner.symbol_counts(), (std::vector<uint64_t>{0, 6, 8}));
}

TEST(UniverseLearnerTest, CancellationIsHeardWithinALayer) {
  UniverseLearner learner({.universe = {.min_count = 1}, .base_size = 3});
  ThreadPool pool(1);
  ASSERT_OK(learner.Start(MakeStream({1, 2, kPackedSeparator}), MakeStream({}), {}, pool, {}));
  CancellationSource source;
  source.Cancel();
  EXPECT_THAT(learner.LearnLayer({.nodes = 5}, nullptr, pool, source.token()), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace clm
