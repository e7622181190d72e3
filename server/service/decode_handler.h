// Decode: the protocol of symbols to bytes. Thread-safety: a pure function of its arguments.
#pragma once

#include "absl/status/status.h"
#include "clm/v1/codec.pb.h"
#include "server/metrics/metrics.h"
#include "server/service/call.h"
#include "server/service/operations.h"
#include "server/service/streams.h"

namespace clm {

// INVALID_ARGUMENT for a break of the protocol (also a width other than 2 and 4, and a last symbol that is not whole),
// otherwise what `operations` answers. The summary comes last; no summary without success.
absl::Status HandleDecode(Operations& operations, Metrics& metrics, const Call& call,
                          MessageReader<v1::DecodeRequest>& reader, MessageWriter<v1::DecodeResponse>& writer);

}  // namespace clm
