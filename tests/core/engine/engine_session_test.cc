#include "core/engine/engine_session.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

#include "tests/core/engine/small_engine.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

std::vector<uint32_t> TableOf(const EngineSession& session, uint32_t lane) {
  std::vector<uint32_t> table(session.model().vocab_size());
  session.Frequencies(lane, table);
  return table;
}

void StepOne(EngineSession& session, uint32_t lane, SymbolId symbol) {
  const LaneUpdate one = {lane, symbol};
  session.Step({&one, 1});
}

TEST(EngineSessionTest, OptionsOutOfRangeAreRefused) {
  const auto model = SmallEngine();
  EXPECT_THAT(EngineSession::Create(model, {.lanes = 0}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("lanes is 0, must be in [1, 4096]")));
  EXPECT_THAT(EngineSession::Create(model, {.lanes = 4097}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(EngineSession::Create(model, {.window = 41}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("window is 41, must be in [0, 40]")));
  EXPECT_THAT(EngineSession::Create(model, {.threads = 257}), StatusIs(absl::StatusCode::kInvalidArgument));
}

// Lanes of different age, in different groups, on different threads and kernels: each has what it would have alone.
TEST(EngineSessionTest, NothingButItsSymbolsDecidesALane) {
  const auto model = SmallEngine();
  constexpr size_t kLength = 60;  // past the window and around the ring
  const std::vector<SymbolId> text = RandomSymbols(kLength, model->vocab_size(), 1);
  const auto want = FrequenciesBefore(model, text, 24);
  for (const DotTarget target : SupportedDotTargets()) {
    for (const uint32_t lanes : std::initializer_list<uint32_t>{1, 7, 64}) {
      for (const uint32_t threads : std::initializer_list<uint32_t>{1, 2, 3}) {
        const auto session = Session(model, {.lanes = lanes, .window = 24, .threads = threads, .target = target});
        for (size_t round = 0; round < kLength + 3; ++round) {
          std::vector<LaneUpdate> symbols;
          for (uint32_t lane = 0; lane < lanes; ++lane) {
            const size_t age = lane % 3;  // starts that many rounds later
            if (round >= age && round - age < kLength) symbols.push_back({lane, text[round - age]});
          }
          session->Step(symbols);
        }
        for (uint32_t lane = 0; lane < lanes; ++lane) {
          ASSERT_EQ(TableOf(*session, lane), want[kLength])
              << DotTargetName(target) << " lanes " << lanes << " threads " << threads << " lane " << lane;
        }
      }
    }
  }
}

TEST(EngineSessionTest, ScoringGivesTheIntervalsOfSingleSteps) {
  const auto model = SmallEngine();
  const std::vector<SymbolId> text = RandomSymbols(100, model->vocab_size(), 2);
  const auto want = FrequenciesBefore(model, text, 24);
  for (const uint32_t threads : std::initializer_list<uint32_t>{1, 2, 5}) {
    const auto session = Session(model, {.lanes = 3, .window = 24, .threads = threads, .target = {}});
    std::vector<SymbolInterval> intervals(text.size());
    // In pieces of all sizes, between steps, beside another lane.
    size_t fed = 0;
    for (const size_t piece : std::initializer_list<size_t>{1, 2, 15, 16, 17, 40}) {
      std::vector<SymbolInterval> others(3);
      const std::vector<LaneText> tasks = {
          {2, std::span(text).subspan(0, 3), others},
          {1, std::span(text).subspan(fed, piece), std::span(intervals).subspan(fed, piece)}};
      session->Score(tasks);
      fed += piece;
      intervals[fed] = session->Interval(1, text[fed]);
      StepOne(*session, 1, text[fed]);
      ++fed;
    }
    for (size_t i = 0; i < fed; ++i) {
      uint32_t start = 0;
      for (SymbolId symbol = 0; symbol < text[i]; ++symbol) start += want[i][symbol];
      ASSERT_EQ(intervals[i], (SymbolInterval{start, want[i][text[i]]})) << i;
    }
    EXPECT_EQ(TableOf(*session, 1), want[fed]) << threads;
  }
}

TEST(EngineSessionTest, ResetCopyAndCloneAreExact) {
  const auto model = SmallEngine();
  const std::vector<SymbolId> text = RandomSymbols(50, model->vocab_size(), 3);
  const auto want = FrequenciesBefore(model, text, 40);
  const auto session = Session(model, {.lanes = 2});
  EXPECT_EQ(session->window(), 40U);
  EXPECT_EQ(TableOf(*session, 1), want[0]);
  for (size_t i = 0; i < 30; ++i) StepOne(*session, 0, text[i]);
  session->CopyState(0, 1);
  const auto clone = session->Clone();
  session->Reset(0);
  EXPECT_EQ(TableOf(*session, 0), want[0]);
  for (size_t i = 30; i < 50; ++i) {
    ASSERT_EQ(TableOf(*session, 1), want[i]);
    ASSERT_EQ(TableOf(*clone, 0), want[i]);
    StepOne(*session, 1, text[i]);
    StepOne(*clone, 0, text[i]);
  }
  StepOne(*session, 0, text[0]);
  EXPECT_EQ(TableOf(*session, 0), want[1]);
}

TEST(EngineSessionTest, SymbolsOutsideTheWindowDoNotMatter) {
  ModelConfig config = SmallEngineConfig();
  config.layers = 1;  // with more layers, older symbols reach further through newer ones
  const auto model = SmallEngine(config);
  const auto session = Session(model, {.lanes = 2, .window = 5});
  std::vector<SymbolId> text = RandomSymbols(30, model->vocab_size(), 4);
  for (const SymbolId symbol : text) StepOne(*session, 0, symbol);
  text[24] = (text[24] + 1) % model->vocab_size();  // the last five stay
  for (const SymbolId symbol : text) StepOne(*session, 1, symbol);
  EXPECT_EQ(TableOf(*session, 0), TableOf(*session, 1));
  session->Reset(1);
  text[25] = (text[25] + 1) % model->vocab_size();
  for (const SymbolId symbol : text) StepOne(*session, 1, symbol);
  EXPECT_NE(TableOf(*session, 0), TableOf(*session, 1));
}

TEST(EngineSessionTest, QuestionsAgreeWithEachOther) {
  const auto model = SmallEngine();
  const auto session = Session(model, {.lanes = 1});
  StepOne(*session, 0, 11);
  const std::vector<uint32_t> table = TableOf(*session, 0);
  uint32_t start = 0;
  for (SymbolId symbol = 0; symbol < table.size(); ++symbol) {
    SymbolInterval found;
    EXPECT_EQ(session->Find(0, start + table[symbol] / 2, found), symbol);
    EXPECT_EQ(found, (SymbolInterval{start, table[symbol]}));
    EXPECT_EQ(session->Interval(0, symbol), found);
    EXPECT_EQ(session->SymbolOfRank(0, session->RankOf(0, symbol)), symbol);
    start += table[symbol];
  }
  EXPECT_EQ(start, uint32_t{1} << model->precision_bits());
  const std::span<const int32_t> logits = session->Logits(0);
  for (uint32_t rank = 1; rank < table.size(); ++rank) {
    EXPECT_GE(logits[session->SymbolOfRank(0, rank - 1)], logits[session->SymbolOfRank(0, rank)]);
  }
}

}  // namespace
}  // namespace clm
