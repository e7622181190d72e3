// Submits and follows jobs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/time/time.h"
#include "client/session.h"
#include "clm/v1/job.pb.h"

namespace clm::client {

// Options that every job command has.
struct SubmitOptions {
  std::string request_id;
  std::string display_name;
  bool detach = false;  // print the job's name and return at once
};

// Follows `job` from `cursor` until it is final, with progress on stderr. A broken connection is taken up again at the
// last cursor. Ctrl-C detaches, says how to come back, and returns kExitInterrupted. Otherwise the exit code of the
// job: 0 when it succeeded, the code of its error when it failed, 1 when it was cancelled. `job` gets its last state.
// `pause`: before the first attempt to reconnect; doubles with each.
int WatchJob(Session& session, uint64_t cursor, v1::Job& job, absl::Duration pause = absl::Milliseconds(250));

// Submits `spec` with the call of its kind and, unless detached, watches it. `print` shows a succeeded job's result as
// text; with --output json the whole job is printed instead.
int RunJob(Session& session, const v1::JobSpec& spec, const SubmitOptions& options,
           const std::function<void(const v1::Job&)>& print);

}  // namespace clm::client
