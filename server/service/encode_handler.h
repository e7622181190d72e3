// Encode: the protocol of bytes to symbols. Thread-safety: a pure function of its arguments.
#pragma once

#include "absl/status/status.h"
#include "clm/v1/codec.pb.h"
#include "server/service/call.h"
#include "server/service/codec_call.h"
#include "server/service/streams.h"

namespace clm {

// INVALID_ARGUMENT for a break of the protocol, as OpenFileTransfer for `files`, otherwise what the operation answers.
// A header goes before the first symbols, the summary after the last; no summary without success.
absl::Status HandleEncode(const CodecCall& codec, const Call& call, MessageReader<v1::EncodeRequest>& reader,
                          MessageWriter<v1::EncodeResponse>& writer);

}  // namespace clm
