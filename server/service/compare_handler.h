// Compare: two reports side by side. Thread-safety: a pure function of its arguments.
#pragma once

#include "absl/status/statusor.h"
#include "clm/v1/evaluate.pb.h"
#include "server/service/call.h"
#include "server/service/operations.h"

namespace clm {

// INVALID_ARGUMENT when a report is not named, otherwise what `operations` answers.
absl::StatusOr<v1::CompareResponse> HandleCompare(Operations& operations, const Call& call,
                                                  const v1::CompareRequest& request);

}  // namespace clm
