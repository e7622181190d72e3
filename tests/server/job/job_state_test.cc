#include "server/job/job_state.h"

#include <set>
#include <utility>

#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

TEST(JobStateTest, NumbersAndNamesAreThoseOfTheContract) {
  const google::protobuf::EnumDescriptor& contract = *v1::JobState_descriptor();
  ASSERT_EQ(contract.value_count(), static_cast<int>(kAllJobStates.size()) + 1) << "beside UNSPECIFIED";
  for (const JobState state : kAllJobStates) {
    const auto* value = contract.FindValueByNumber(static_cast<int>(state));
    ASSERT_NE(value, nullptr);
    EXPECT_EQ(value->name(), "JOB_STATE_" + std::string(JobStateName(state)));
    EXPECT_EQ(JobStateFromProto(ToProto(state)), state);
  }
  EXPECT_EQ(JobStateFromProto(v1::JOB_STATE_UNSPECIFIED), std::nullopt);
  EXPECT_EQ(JobStateFromProto(static_cast<v1::JobState>(25)), std::nullopt);
}

TEST(JobStateTest, ExactlyTheDocumentedMovesAreLegal) {
  using enum JobState;
  const std::set<std::pair<JobState, JobState>> legal = {
      {kQueued, kRunning}, {kQueued, kCancelled},  {kRunning, kQueued}, {kRunning, kSucceeded},
      {kRunning, kFailed}, {kRunning, kCancelled}, {kFailed, kQueued},  {kCancelled, kQueued}};
  for (const JobState from : kAllJobStates) {
    for (const JobState to : kAllJobStates) {
      EXPECT_EQ(CanMove(from, to), legal.count({from, to}) == 1) << JobStateName(from) << " -> " << JobStateName(to);
    }
  }
}

TEST(JobStateTest, OnlyQueuedAndRunningGoOnByThemselves) {
  for (const JobState state : kAllJobStates) {
    EXPECT_EQ(IsFinal(state), state != JobState::kQueued && state != JobState::kRunning) << JobStateName(state);
  }
}

}  // namespace
}  // namespace clm
