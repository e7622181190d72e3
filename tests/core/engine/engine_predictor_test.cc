#include "core/engine/engine_predictor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/core/engine/small_engine.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

TEST(EnginePredictorTest, IsTheSessionBehindTheInterface) {
  const auto model = SmallEngine();
  const std::vector<SymbolId> text = RandomSymbols(20, model->vocab_size(), 1);
  const auto want = FrequenciesBefore(model, text, 40);
  ASSERT_OK_AND_ASSIGN(const auto predictor, EnginePredictor::Create(model, {.lanes = 3}));
  EXPECT_EQ(predictor->lanes(), 3U);
  EXPECT_EQ(predictor->precision_bits(), 20);
  std::vector<SymbolInterval> intervals(text.size());
  const LaneText scored = {2, text, intervals};
  predictor->ScoreLanes({&scored, 1});
  for (size_t i = 0; i < text.size(); ++i) {
    for (size_t lane = 0; lane < 2; ++lane) {
      std::vector<uint32_t> table(model->vocab_size());
      predictor->Frequencies(lane, table);
      ASSERT_EQ(table, want[i]);
      EXPECT_EQ(predictor->Interval(lane, text[i]), intervals[i]);
      SymbolInterval found;
      EXPECT_EQ(predictor->Find(lane, intervals[i].start, found), text[i]);
      EXPECT_EQ(predictor->SymbolOfRank(lane, predictor->RankOf(lane, text[i])), text[i]);
    }
    if (i % 2 == 0) {
      predictor->Update(0, text[i]);
      predictor->Update(1, text[i]);
    } else {
      const std::vector<LaneUpdate> both = {{1, text[i]}, {0, text[i]}};
      predictor->UpdateLanes(both);
    }
  }
  const std::unique_ptr<SymbolPredictor> clone = predictor->Clone();
  std::vector<uint32_t> table(model->vocab_size());
  clone->Frequencies(1, table);
  EXPECT_EQ(table, want[text.size()]);
  predictor->Reset(1);
  predictor->Frequencies(1, table);
  EXPECT_EQ(table, want[0]);
}

TEST(EnginePredictorTest, TheWindowIsPartOfTheFingerprint) {
  const auto model = SmallEngine();
  ASSERT_OK_AND_ASSIGN(const auto whole, EnginePredictor::Create(model, {.lanes = 1, .window = 40}));
  ASSERT_OK_AND_ASSIGN(const auto other_lanes, EnginePredictor::Create(model, {.lanes = 2, .threads = 2}));
  ASSERT_OK_AND_ASSIGN(const auto small, EnginePredictor::Create(model, {.lanes = 1, .window = 8}));
  EXPECT_EQ(whole->fingerprint(), other_lanes->fingerprint());
  EXPECT_NE(whole->fingerprint(), small->fingerprint());
  EXPECT_EQ(whole->fingerprint().size(), 64U);
}

TEST(EngineScorerTest, NatsAreThoseOfTheIntervals) {
  const auto model = SmallEngine();
  std::vector<std::vector<SymbolId>> documents;
  for (uint64_t i = 0; i < 9; ++i) {
    documents.push_back(RandomSymbols(i == 4 ? 700 : i * 3, model->vocab_size(), i));
    documents.back().push_back(model->boundary());
  }
  ASSERT_OK_AND_ASSIGN(const auto one, EngineScorer::Create(model, {.lanes = 1}));
  ASSERT_OK_AND_ASSIGN(const auto many, EngineScorer::Create(model, {.lanes = 4, .threads = 2}));
  ASSERT_OK_AND_ASSIGN(const auto alone, one->Score(documents, {}));
  ASSERT_OK_AND_ASSIGN(const auto together, many->Score(documents, {}));
  for (size_t i = 0; i < documents.size(); ++i) {
    EXPECT_EQ(alone[i].symbols, documents[i].size());
    EXPECT_EQ(alone[i].nats, together[i].nats);
    EXPECT_EQ(alone[i].symbols, together[i].symbols);
    const auto tables = FrequenciesBefore(model, documents[i], 40);
    double nats = 0;
    for (size_t j = 0; j < documents[i].size(); ++j) nats -= std::log(std::ldexp(tables[j][documents[i][j]], -20));
    EXPECT_NEAR(alone[i].nats, nats, 1e-9 * nats);
  }
}

TEST(EngineScorerTest, SymbolsOutsideTheVocabularyAndCancellationAreErrors) {
  ASSERT_OK_AND_ASSIGN(const auto scorer, EngineScorer::Create(SmallEngine(), {.lanes = 2}));
  EXPECT_THAT(scorer->Score(std::vector<std::vector<SymbolId>>{{1, 70}, {2, 75}}, {}),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("document 1: symbol 75 at position 1")));
  EXPECT_EQ(scorer->description(), "engine integers, window 40, stride 1");
}

}  // namespace
}  // namespace clm
