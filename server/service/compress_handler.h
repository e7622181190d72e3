// Compress: the protocol of bytes to a frame. Thread-safety: a pure function of its arguments.
#pragma once

#include "absl/status/status.h"
#include "clm/v1/codec.pb.h"
#include "server/metrics/metrics.h"
#include "server/service/call.h"
#include "server/service/operations.h"
#include "server/service/streams.h"

namespace clm {

// INVALID_ARGUMENT for a break of the protocol or a block size out of range; RESOURCE_EXHAUSTED for an input above
// 64 MiB with `compare`; otherwise what `operations` answers. The summary comes last; no summary without success.
// DATA_LOSS of `operations` means that verification failed: it is counted as a round trip failure.
absl::Status HandleCompress(Operations& operations, Metrics& metrics, const Call& call,
                            MessageReader<v1::CompressRequest>& reader, MessageWriter<v1::CompressResponse>& writer);

}  // namespace clm
