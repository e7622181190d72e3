#include "core/train/train_config.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

TrainConfig Config() {
  TrainConfig config;
  config.steps = 100;
  return config;
}

TEST(TrainConfigTest, BytesBecomeStepsRoundedUp) {
  TrainConfig config;
  config.bytes_per_step = 1000;
  config.bytes_budget = 3001;
  EXPECT_OK(config.Validate());
  EXPECT_EQ(config.total_steps(), 4U);
  config.bytes_budget = 3000;
  EXPECT_EQ(config.total_steps(), 3U);
}

TEST(TrainConfigTest, EveryFieldOutOfRangeIsNamed) {
  const std::vector<std::pair<std::string, std::function<void(TrainConfig&)>>> cases = {
      {"exactly one", [](TrainConfig& c) { c.bytes_budget = 1; }},
      {"exactly one", [](TrainConfig& c) { c.steps = 0; }},
      {"steps is 2e+09", [](TrainConfig& c) { c.steps = 2'000'000'000; }},
      {"bytes_per_step is 0", [](TrainConfig& c) { c.bytes_per_step = 0; }},
      {"learning_rate is 0", [](TrainConfig& c) { c.learning_rate = 0; }},
      {"learning_rate is nan", [](TrainConfig& c) { c.learning_rate = NAN; }},
      {"final_ratio is 1.5", [](TrainConfig& c) { c.final_ratio = 1.5; }},
      {"decay_fraction is 0", [](TrainConfig& c) { c.decay_fraction = 0; }},
      {"residual_rate is -1", [](TrainConfig& c) { c.residual_rate = -1; }},
      {"beta1 is 1", [](TrainConfig& c) { c.beta1 = 1; }},
      {"beta2 is 1", [](TrainConfig& c) { c.beta2 = 1; }},
      {"epsilon is 0", [](TrainConfig& c) { c.epsilon = 0; }},
      {"weight_decay is 11", [](TrainConfig& c) { c.weight_decay = 11; }},
      {"clip_norm is -1", [](TrainConfig& c) { c.clip_norm = -1; }},
      {"micro_batch_symbols is 0", [](TrainConfig& c) { c.micro_batch_symbols = 0; }},
      {"keep_last is 0", [](TrainConfig& c) { c.keep_last = 0; }},
      {"threads is 1025", [](TrainConfig& c) { c.threads = 1025; }},
  };
  EXPECT_OK(Config().Validate());
  for (const auto& [message, damage] : cases) {
    TrainConfig config = Config();
    damage(config);
    EXPECT_THAT(config.Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message)));
  }
}

TEST(TrainConfigTest, OnlyWhatDecidesTheNumbersIsInTheDecidingFields) {
  TrainConfig other = Config();
  other.keep_last = 7;
  other.threads = 3;
  other.validation_interval = 5;
  other.checkpoint_interval = 9;
  EXPECT_EQ(other.DecidingFields(), Config().DecidingFields());
  other.document_mask = false;
  EXPECT_NE(other.DecidingFields(), Config().DecidingFields());
  TrainConfig bytes = Config();
  bytes.steps = 0;
  bytes.bytes_budget = 100 * bytes.bytes_per_step;
  EXPECT_EQ(bytes.DecidingFields(), Config().DecidingFields());
}

}  // namespace
}  // namespace clm
