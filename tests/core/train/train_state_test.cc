#include "core/train/train_state.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_replace.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

TrainState State() {
  TrainState state;
  state.step = 120;
  state.original_bytes = 1'000'000'000'007;
  state.targets = 99;
  state.smoothed_loss_nats_per_byte = 1.4142135623730951;
  state.seconds = 12.34567890123;
  state.run_digest = std::string(64, 'a');
  state.threads = 2;
  state.validations = {{60, 500, 2.5}, {90, 700, 2.25}, {120, 1000, 2.25}};
  state.weights_digest = std::string(64, 'b');
  state.optimizer_digest = std::string(64, 'c');
  return state;
}

TEST(TrainStateTest, JsonComesBackEqual) {
  ASSERT_OK_AND_ASSIGN(const TrainState read, TrainState::FromJson(State().ToJson()));
  EXPECT_EQ(read, State());
}

TEST(TrainStateTest, BestIsTheEarliestOfTheLowest) {
  EXPECT_EQ(State().best()->step, 90U);
  EXPECT_FALSE(TrainState().best().has_value());
}

TEST(TrainStateTest, DamageIsNamed) {
  const std::string good = State().ToJson();
  const std::vector<std::pair<std::pair<std::string, std::string>, std::string>> cases = {
      {{"\"version\": 1", "\"version\": 2"}, "version"},
      {{"\"step\": 120,\n  \"targets\"", "\"step\": -1,\n  \"targets\""}, "step"},
      {{"\"targets\": 99", "\"targets\": \"99\""}, "targets"},
      {{"\"seconds\"", "\"second\""}, "seconds"},
      {{"\"threads\": 2", "\"threads\": 2000"}, "threads"},
      {{std::string(64, 'b'), "b"}, "weights_digest"},
      {{"2.5", "null"}, "bits_per_byte"},
      {{"\"validations\": [", "\"validations\": [1, "}, "validations"},
  };
  for (const auto& [change, field] : cases) {
    const std::string bad = absl::StrReplaceAll(good, {{change.first, change.second}});
    ASSERT_NE(bad, good) << field;
    EXPECT_THAT(TrainState::FromJson(bad), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(field)));
  }
  EXPECT_THAT(TrainState::FromJson(""), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace clm
