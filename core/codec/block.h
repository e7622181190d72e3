// Block: one block of a frame as bytes (the drawing is in frame.h): write, check, decode. Encoder's verification,
// streaming decoder and random-access reader all decode through DecodeBlock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"
#include "core/codec/block_coder.h"
#include "core/codec/frame.h"

namespace clm {

// Which block of which frame; what messages name.
struct BlockPlace {
  uint32_t index = 0;   // the expected one
  uint64_t offset = 0;  // in bytes from the start of the frame
};

// header, payload and both checksums. Requires raw.size() and payload.size() <= kMaxBlockBytes.
std::string SerializeBlock(uint32_t index, CodecId codec, absl::string_view raw, absl::string_view payload);

// Reads the first kBlockHeaderBytes of `data` and checks them against the frame: DATA_LOSS for another index than
// expected (swapped, repeated or missing blocks), lengths out of range, a codec that the frame does not use.
absl::StatusOr<BlockHeader> ParseBlockHeader(absl::string_view data, const FrameHeader& frame, BlockPlace place);

// Checks the checksum of the coded bytes. `block` is the whole block, header.total_bytes() long.
absl::Status CheckCodedChecksum(absl::string_view block, BlockPlace place);

// The raw bytes of `block` (header.total_bytes() long), proven by both checksums. `coder` is the frame's coder.
// `expected`, if given, is what the caller believes that they are, header.raw_bytes of them: it makes no difference but
// in time.
absl::StatusOr<std::string> DecodeBlock(absl::string_view block, const BlockHeader& header, BlockPlace place,
                                        const BlockCoder& coder, const CancellationToken& cancel,
                                        std::optional<absl::string_view> expected = std::nullopt);

}  // namespace clm
