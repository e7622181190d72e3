#include "core/engine/engine_stepper.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/core/engine/small_engine.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;

TEST(EngineStepperTest, TheLikeliestSymbolIsRankZero) {
  const auto model = SmallEngine();
  const std::vector<SymbolId> text = RandomSymbols(12, model->vocab_size(), 5);
  ASSERT_OK_AND_ASSIGN(const auto stepper, EngineStepper::Create(model));
  EngineSessionOptions options;
  options.lanes = 1;
  ASSERT_OK_AND_ASSIGN(const auto session, EngineSession::Create(model, options));
  std::vector<float> logits;
  for (const SymbolId symbol : text) {
    ASSERT_OK(stepper->Feed({&symbol, 1}, logits));
    const std::vector<LaneUpdate> step = {{0, symbol}};
    session->Step(step);
    const auto likeliest = std::max_element(logits.begin(), logits.end()) - logits.begin();
    EXPECT_EQ(static_cast<SymbolId>(likeliest), session->SymbolOfRank(0, 0));
  }
}

TEST(EngineStepperTest, LogitsAreLogarithmsOfTheFrequencies) {
  const auto model = SmallEngine();
  const std::vector<SymbolId> text = RandomSymbols(9, model->vocab_size(), 6);
  ASSERT_OK_AND_ASSIGN(const auto stepper, EngineStepper::Create(model));
  std::vector<float> logits;
  ASSERT_OK(stepper->Feed(text, logits));
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
  EngineSessionOptions options;
  options.lanes = 1;
  ASSERT_OK_AND_ASSIGN(const auto session, EngineSession::Create(model, options));
  std::vector<SymbolInterval> intervals(text.size());
  session->Score(0, text, intervals);
  std::vector<uint32_t> frequencies(model->vocab_size());
  session->Frequencies(0, frequencies);
  const double total = std::ldexp(1.0, model->precision_bits());
  for (size_t i = 0; i < logits.size(); ++i) {
    EXPECT_NEAR(std::exp(static_cast<double>(logits[i])) / sum, frequencies[i] / total, 1e-3) << i;
  }
}

TEST(EngineStepperTest, FeedingAtOnceAndOneByOneIsTheSame) {
  const auto model = SmallEngine();
  const std::vector<SymbolId> text = RandomSymbols(60, model->vocab_size(), 7);  // longer than the window
  ASSERT_OK_AND_ASSIGN(const auto stepper, EngineStepper::Create(model));
  std::vector<float> at_once;
  ASSERT_OK(stepper->Feed(text, at_once));
  stepper->Reset();
  std::vector<float> one_by_one;
  for (const SymbolId symbol : text) ASSERT_OK(stepper->Feed({&symbol, 1}, one_by_one));
  EXPECT_EQ(at_once, one_by_one);
  const SymbolId unknown = model->vocab_size();
  EXPECT_THAT(stepper->Feed({&unknown, 1}, at_once), StatusIs(absl::StatusCode::kOutOfRange));
}

}  // namespace
}  // namespace clm
