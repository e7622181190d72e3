// Details of an error, carried by absl::Status as payloads until the call's wrapper sends them.
//
//   return WithReason(absl::NotFoundError(absl::StrCat("no job ", id)), "JOB_NOT_FOUND", {{"job", id}});
//   return InvalidField("page_size", absl::StrCat(size, " is negative"));
//   return WithRetry(WithReason(absl::ResourceExhaustedError("..."), "JOB_QUEUE_FULL"), absl::Seconds(5));
//
// Payload type URLs are those of google.rpc (proto/clm/v1/error_detail.proto), so a Status can cross any layer of the
// server, and each type occurs at most once. Messages of Protocol Buffers only; no gRPC here. Thread-safety: pure
// functions.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "clm/v1/error_detail.pb.h"

namespace clm {

inline constexpr char kErrorDomain[] = "clm";

// `status` with an ErrorInfo. `reason`: UPPER_SNAKE_CASE, at most 63 characters (docs/protocol.md lists them).
// Replaces an earlier reason; OK stays OK.
absl::Status WithReason(absl::Status status, absl::string_view reason,
                        std::initializer_list<std::pair<absl::string_view, absl::string_view>> metadata = {});

// `status` with one more violated field.
absl::Status WithField(absl::Status status, absl::string_view field, absl::string_view description);

// INVALID_ARGUMENT "<field>: <description>", reason INVALID_FIELD, with the field violation.
absl::Status InvalidField(absl::string_view field, absl::string_view description);

// `status` with advice not to try again sooner than `delay`.
absl::Status WithRetry(absl::Status status, absl::Duration delay);
// The advice, if there is one.
std::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

// The reason that `status` carries, or the default one of its code, e.g. "NOT_FOUND".
std::string ReasonOf(const absl::Status& status);

// The message as callers get it: at most 1 KiB of it, cut at a character and marked. Metadata values and field
// descriptions are cut to 256 bytes when they are added, so that an answer always fits gRPC's limit on metadata.
std::string ShortMessage(const absl::Status& status);

// Everything that goes into grpc-status-details-bin: code, message, ErrorInfo (always), and the other details.
// Requires !status.ok().
v1::ErrorStatus ToErrorStatus(const absl::Status& status);

}  // namespace clm
