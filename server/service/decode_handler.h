// Decode: the protocol of symbols to bytes. Thread-safety: a pure function of its arguments.
#pragma once

#include "absl/status/status.h"
#include "clm/v1/codec.pb.h"
#include "server/service/call.h"
#include "server/service/codec_call.h"
#include "server/service/streams.h"

namespace clm {

// INVALID_ARGUMENT for a break of the protocol (also a width other than 2 and 4, and a last symbol that is not whole),
// as OpenFileTransfer for `files`, otherwise what the operation answers. The summary comes last; no summary without
// success.
absl::Status HandleDecode(const CodecCall& codec, const Call& call, MessageReader<v1::DecodeRequest>& reader,
                          MessageWriter<v1::DecodeResponse>& writer);

}  // namespace clm
