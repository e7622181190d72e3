// Generate: ranges of its request and its stream of answers. Thread-safety: pure functions of their arguments.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "clm/v1/generate.pb.h"
#include "server/metrics/metrics.h"
#include "server/service/call.h"
#include "server/service/operations.h"
#include "server/service/streams.h"

namespace clm {

inline constexpr uint64_t kMaxPromptBytes = uint64_t{1} << 20;
inline constexpr uint64_t kMaxNewBytes = uint64_t{16} << 20;

// INVALID_ARGUMENT naming the first field out of its documented range.
absl::Status CheckGenerateRequest(const v1::GenerateRequest& request);

// The request with its documented defaults filled in: temperature, top_p, max_new_bytes.
v1::GenerateRequest WithGenerateDefaults(v1::GenerateRequest request);

// Streams text as it comes, then the summary; no summary without success.
absl::Status HandleGenerate(Operations& operations, Metrics& metrics, const Call& call,
                            const v1::GenerateRequest& request, MessageWriter<v1::GenerateResponse>& writer);

}  // namespace clm
