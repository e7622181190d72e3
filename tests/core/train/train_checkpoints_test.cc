// Writing, keeping and finding checkpoints; trainer_test.cc cuts the power at every operation.
#include "core/train/train_checkpoints.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TrainCheckpointsTest : public ::testing::Test {
 protected:
  TrainCheckpointsTest() {
    layout_.Add({.name = "a", .rows = 3});
    layout_.Add({.name = "b", .rows = 2, .columns = 2});
    checkpoints_.emplace(PosixFileSystem(), folder_.File("run"), layout_, /*keep_last=*/2);
  }

  absl::Status Write(uint64_t step, std::vector<ValidationPoint> validations = {}) {
    TrainState state;
    state.step = step;
    state.run_digest = std::string(64, 'a');
    state.validations = std::move(validations);
    const std::vector<float> weights = Values(step);
    const std::vector<float> first = Values(step + 1000);
    const std::vector<float> second = Values(step + 2000);
    return checkpoints_->Write(state, {weights, first, second});
  }
  absl::StatusOr<std::optional<TrainState>> Restore(const std::string& digest = std::string(64, 'a')) {
    return checkpoints_->RestoreNewest(digest, {weights_, first_, second_}, notes_);
  }
  std::vector<float> Values(uint64_t start) const {
    std::vector<float> values(static_cast<size_t>(layout_.total()), 0.0F);
    for (const ParameterSpec& spec : layout_.parameters()) {
      for (int64_t i = 0; i < spec.size(); ++i)
        values[static_cast<size_t>(spec.offset + i)] = static_cast<float>(start++);
    }
    return values;
  }

  TemporaryDirectory folder_;
  ParameterLayout layout_ = ParameterLayout();
  std::optional<TrainCheckpoints> checkpoints_;
  std::vector<float> weights_ = std::vector<float>(20, 0.0F);
  std::vector<float> first_ = weights_;
  std::vector<float> second_ = weights_;
  std::vector<std::string> notes_;
};

TEST_F(TrainCheckpointsTest, WhatWasWrittenComesBack) {
  weights_.resize(static_cast<size_t>(layout_.total()));
  first_ = second_ = weights_;
  ASSERT_OK(Write(7));
  ASSERT_OK_AND_ASSIGN(const std::optional<TrainState> state, Restore());
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->step, 7U);
  EXPECT_EQ(weights_, Values(7));
  EXPECT_EQ(first_, Values(1007));
  EXPECT_EQ(second_, Values(2007));
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(TrainCheckpointsTest, AnEmptyFolderHasNothing) {
  ASSERT_OK_AND_ASSIGN(const std::optional<TrainState> state, Restore());
  EXPECT_FALSE(state.has_value());
  EXPECT_THAT(*checkpoints_->Steps(), IsEmpty());
}

TEST_F(TrainCheckpointsTest, NewestAndBestStay) {
  ASSERT_OK(Write(1, {{1, 0, 3.0}}));
  ASSERT_OK(Write(2, {{1, 0, 3.0}, {2, 0, 2.0}}));
  for (uint64_t step = 3; step <= 5; ++step) ASSERT_OK(Write(step, {{1, 0, 3.0}, {2, 0, 2.0}, {step, 0, 2.5}}));
  EXPECT_THAT(*checkpoints_->Steps(), ElementsAre(2, 4, 5));
}

TEST_F(TrainCheckpointsTest, AStepMayBeWrittenAgain) {
  ASSERT_OK(Write(3));
  ASSERT_OK(Write(3, {{3, 0, 1.0}}));
  weights_.resize(static_cast<size_t>(layout_.total()));
  first_ = second_ = weights_;
  ASSERT_OK_AND_ASSIGN(const std::optional<TrainState> state, Restore());
  EXPECT_EQ(state.value_or(TrainState()).validations.size(), 1U);
}

TEST_F(TrainCheckpointsTest, OtherRunsAndOtherNamesAreToldApart) {
  ASSERT_OK(PosixFileSystem().MakeDirectories(folder_.File("run/step-7")));  // not a name of ours
  ASSERT_OK(Write(3));
  EXPECT_THAT(*checkpoints_->Steps(), ElementsAre(3));
  EXPECT_THAT(Restore(std::string(64, 'b')),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("belongs to another run")));
}

}  // namespace
}  // namespace clm
