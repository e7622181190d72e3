// Checks and keys of a SubmitJobRequest: what makes two requests the same job.
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "clm/v1/job.pb.h"

namespace clm {

inline constexpr size_t kMaxRequestIdLength = 64;
inline constexpr size_t kMaxDisplayNameBytes = 128;

// What the spec asks for; JOB_KIND_UNSPECIFIED when it has no task.
v1::JobKind KindOf(const v1::JobSpec& spec);
// "prepare", "train", "evaluate"; also the first part of a job's id.
absl::string_view KindName(v1::JobKind kind);

// INVALID_ARGUMENT, naming the field: no task, a request_id that is not 1 to 64 of [A-Za-z0-9_.-] (empty is none), a
// display_name of more than 128 bytes.
absl::Status CheckSubmitRequest(const v1::SubmitJobRequest& request);

// SHA-256 (hex) of the spec without its job_id: equal digests mean equal work.
std::string SpecDigest(const v1::JobSpec& spec);

// The artifacts that a job of this spec reads, as the spec names them: name, id or id prefix each.
std::vector<std::string> InputArtifacts(const v1::JobSpec& spec);

// "jobs/{id}" or "{id}" to "{id}".
absl::string_view JobIdOf(absl::string_view name);

}  // namespace clm
