// JobState: the life of a job, as promises.
//
// The numbers are those of clm.v1.JobState (a test ties them), so a state is stored and sent without a table.
// Thread-safety: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "clm/v1/job.pb.h"

namespace clm {

enum class JobState : uint8_t {
  kQueued = 10,     // accepted and durable; holds no worker
  kRunning = 20,    // a worker owns it; progress moves
  kSucceeded = 30,  // final: its artifacts were committed BEFORE this became visible
  kFailed = 40,     // final until resumed: its error says why
  kCancelled = 50,  // final until resumed: a caller asked
};

inline constexpr std::array<JobState, 5> kAllJobStates = {JobState::kQueued, JobState::kRunning, JobState::kSucceeded,
                                                          JobState::kFailed, JobState::kCancelled};

// The legal moves:
//
//   QUEUED    -> RUNNING, CANCELLED
//   RUNNING   -> QUEUED (worker or server died, or the server drains), SUCCEEDED, FAILED, CANCELLED
//   FAILED    -> QUEUED (a caller resumes it)
//   CANCELLED -> QUEUED (a caller resumes it)
//
// Anything else, staying included, is FAILED_PRECONDITION.
bool CanMove(JobState from, JobState to);

// Nothing happens to the job any more unless a caller asks.
bool IsFinal(JobState state);

// "QUEUED", "RUNNING", ...
absl::string_view JobStateName(JobState state);

v1::JobState ToProto(JobState state);
// Nothing for JOB_STATE_UNSPECIFIED and for numbers of a newer contract.
std::optional<JobState> JobStateFromProto(v1::JobState state);

}  // namespace clm
