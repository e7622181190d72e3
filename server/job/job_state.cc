#include "server/job/job_state.h"

namespace clm {

bool CanMove(JobState from, JobState to) {
  switch (from) {
    case JobState::kQueued:
      return to == JobState::kRunning || to == JobState::kCancelled;
    case JobState::kRunning:
      return to != JobState::kRunning;
    case JobState::kFailed:
    case JobState::kCancelled:
      return to == JobState::kQueued;
    case JobState::kSucceeded:
      return false;
  }
  return false;
}

bool IsFinal(JobState state) { return state != JobState::kQueued && state != JobState::kRunning; }

absl::string_view JobStateName(JobState state) {
  switch (state) {
    case JobState::kQueued:
      return "QUEUED";
    case JobState::kRunning:
      return "RUNNING";
    case JobState::kSucceeded:
      return "SUCCEEDED";
    case JobState::kFailed:
      return "FAILED";
    case JobState::kCancelled:
      return "CANCELLED";
  }
  return "UNKNOWN";
}

v1::JobState ToProto(JobState state) { return static_cast<v1::JobState>(state); }

std::optional<JobState> JobStateFromProto(v1::JobState state) {
  for (const JobState known : kAllJobStates) {
    if (ToProto(known) == state) return known;
  }
  return std::nullopt;
}

}  // namespace clm
