// Trace: ranges of its request, its data and its stream of answers. Thread-safety: pure functions of their arguments.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "clm/v1/trace.pb.h"
#include "server/metrics/metrics.h"
#include "server/service/call.h"
#include "server/service/operations.h"
#include "server/service/streams.h"

namespace clm {

inline constexpr uint64_t kMaxTraceInputBytes = uint64_t{32} << 20;
inline constexpr uint64_t kMaxTracePromptBytes = uint64_t{1} << 20;
inline constexpr uint64_t kMaxCorrectedSymbols = uint64_t{1} << 18;

// INVALID_ARGUMENT naming the first field out of its documented range.
absl::Status CheckTraceStart(const v1::TraceRequest::Start& start);

// Header, rows and data, then the summary; no summary without success.
absl::Status HandleTrace(Operations& operations, Metrics& metrics, const Call& call,
                         MessageReader<v1::TraceRequest>& reader, MessageWriter<v1::TraceResponse>& writer);

}  // namespace clm
