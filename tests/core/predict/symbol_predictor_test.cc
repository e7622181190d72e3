#include "core/predict/symbol_predictor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace clm {
namespace {

// Six symbols; the one that came last is likelier. Overrides nothing that has a default.
class StickyPredictor final : public SymbolPredictor {
 public:
  explicit StickyPredictor(size_t lanes) : last_(lanes, 0) {}

  uint32_t vocab_size() const override { return 6; }
  size_t lanes() const override { return last_.size(); }
  int precision_bits() const override { return 12; }
  std::string fingerprint() const override { return std::string(64, 'a'); }
  void Frequencies(size_t lane, std::span<uint32_t> out) override {
    std::fill(out.begin(), out.end(), 500);
    out[last_[lane]] = 4096 - 5 * 500;
  }
  void Update(size_t lane, SymbolId symbol) override { last_[lane] = symbol; }
  void Reset(size_t lane) override { last_[lane] = 0; }
  std::unique_ptr<SymbolPredictor> Clone() const override { return std::make_unique<StickyPredictor>(*this); }

 private:
  std::vector<SymbolId> last_;
};

TEST(SymbolPredictorTest, EverySlotIsInTheIntervalOfTheSymbolFound) {
  StickyPredictor predictor(2);
  predictor.Update(1, 3);
  uint32_t end = 0;
  for (SymbolId symbol = 0; symbol < 6; ++symbol) {
    const SymbolInterval interval = predictor.Interval(1, symbol);
    EXPECT_EQ(interval.start, end);
    end += interval.frequency;
    for (const uint32_t slot : {interval.start, end - 1}) {
      SymbolInterval found;
      EXPECT_EQ(predictor.Find(1, slot, found), symbol);
      EXPECT_EQ(found, interval);
    }
  }
  EXPECT_EQ(end, 4096U);
}

TEST(SymbolPredictorTest, RanksGoByLikelihoodAndThenBySymbol) {
  StickyPredictor predictor(1);
  predictor.Update(0, 4);
  const std::array<SymbolId, 6> order = {4, 0, 1, 2, 3, 5};
  for (uint32_t rank = 0; rank < order.size(); ++rank) {
    EXPECT_EQ(predictor.SymbolOfRank(0, rank), order[rank]);
    EXPECT_EQ(predictor.RankOf(0, order[rank]), rank);
  }
}

TEST(SymbolPredictorTest, ScoringManyLanesIsAskingAndTellingOneByOne) {
  StickyPredictor predictor(3);
  const std::vector<SymbolId> first = {1, 1, 5};
  const std::vector<SymbolId> second = {2, 0};
  std::vector<SymbolInterval> of_first(3);
  std::vector<SymbolInterval> of_second(2);
  const std::array<LaneText, 2> texts = {{{2, first, of_first}, {0, second, of_second}}};
  predictor.ScoreLanes(texts);

  StickyPredictor twin(3);
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(of_first[i], twin.Interval(2, first[i]));
    const std::array<LaneUpdate, 1> update = {{{2, first[i]}}};
    twin.UpdateLanes(update);
  }
  EXPECT_EQ(of_second[0], twin.Interval(0, 2));
  EXPECT_EQ(predictor.Interval(2, 5), twin.Interval(2, 5));
}

}  // namespace
}  // namespace clm
