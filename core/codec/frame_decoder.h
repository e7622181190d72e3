// FrameDecoder: a frame in any cut to its bytes, block by block.
//
//   CLM_ASSIGN_OR_RETURN(auto decoder, FrameDecoder::Create(options, codecs, sink, context));
//   CLM_RETURN_IF_ERROR(decoder->Append(part_of_frame));               // as often as there are parts
//   CLM_ASSIGN_OR_RETURN(const DecodeSummary summary, decoder->Finish());
//
// Bytes reach the sink block by block, each proven by two checksums; the whole is proven when Finish returns OK, which
// also means that nothing is missing, nothing follows and the SHA-256 is the original's. After damage the intact blocks
// before it have been written and nothing else.
//
// Memory: for each block in work at once one coded and one decoded block and what the coder needs, plus 8 bytes per
// block received. Never what the frame declares.
//
// Errors: DATA_LOSS naming block and byte for damage of any kind, truncation, trailing bytes or a second frame;
// UNIMPLEMENTED for a later version, an unknown flag or codec; FAILED_PRECONDITION for another predictor (both
// fingerprints in the message); RESOURCE_EXHAUSTED above options.max_original_bytes; OUT_OF_RANGE for a range beyond
// the end. After an error every later call returns that error.
// Thread-safety: not thread-safe; it runs its blocks on context.pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/codec/block.h"
#include "core/codec/codec_set.h"
#include "core/codec/frame.h"

namespace clm {

struct FrameDecoderOptions {
  // Refuse frames of longer originals, from the header where it says so, otherwise as soon as they pass it.
  uint64_t max_original_bytes = std::numeric_limits<uint64_t>::max();
  // Only these bytes of the original: blocks outside are checked but not decoded. Both 0: everything.
  uint64_t range_offset = 0;
  uint64_t range_length = 0;

  absl::Status Validate() const;  // INVALID_ARGUMENT for a range that ends beyond 2^64 or is empty at an offset
};

struct DecodeSummary {
  uint64_t original_bytes = 0;  // of the frame
  uint64_t decoded_bytes = 0;   // given to the sink
  uint64_t blocks = 0;
  uint64_t decoded_blocks = 0;
  uint64_t stored_blocks = 0;    // of those decoded
  Sha256Digest sha256{};         // of what was given to the sink
  bool sha256_verified = false;  // everything was decoded and this is the frame's
};

class FrameDecoder {
 public:
  static absl::StatusOr<std::unique_ptr<FrameDecoder>> Create(const FrameDecoderOptions& options, CodecSet codecs,
                                                              ByteSink sink, CodecContext context);

  absl::Status Append(absl::string_view data);
  // Call once, after the last part.
  absl::StatusOr<DecodeSummary> Finish();

  // As soon as it has been read.
  const std::optional<FrameHeader>& header() const { return header_; }

 private:
  enum class State : uint8_t { kHeader, kBlocks, kFooter, kDone };

  // A complete block in buffer_ that waits for its batch.
  struct WaitingBlock {
    BlockHeader header;
    BlockPlace place;
    size_t position = 0;  // in buffer_
  };

  FrameDecoder(const FrameDecoderOptions& options, CodecSet codecs, ByteSink sink, CodecContext context);

  absl::Status Take(absl::string_view data);
  absl::Status Advance();
  absl::Status ReadHeader();
  absl::Status ReadBlocks();
  // Whether a whole block was moved from the input to the batch; its damage is an error.
  absl::StatusOr<bool> ReadBlock();
  absl::Status CheckOrder(const BlockHeader& block, BlockPlace place) const;
  absl::Status DecodeBatch();
  absl::Status DecodeOne(const WaitingBlock& block, std::string& raw) const;
  absl::Status Emit(const WaitingBlock& block, absl::string_view raw);
  bool Wanted(const WaitingBlock& block) const;
  absl::Status ReadFooter();
  absl::Status CheckFooter(const FrameFooter& footer) const;
  absl::Status AtEnd() const;

  absl::string_view unread() const { return absl::string_view(buffer_).substr(position_); }
  uint64_t offset() const { return buffer_offset_ + position_; }
  bool whole() const { return options_.range_offset == 0 && options_.range_length == 0; }

  const FrameDecoderOptions options_;
  const CodecSet codecs_;
  const ByteSink sink_;
  const CodecContext context_;

  absl::Status failed_;
  State state_ = State::kHeader;
  std::optional<FrameHeader> header_;
  std::shared_ptr<const BlockCoder> coder_;
  size_t blocks_at_once_ = 1;
  std::string buffer_;          // the part of the frame that is not done with
  uint64_t buffer_offset_ = 0;  // of buffer_[0] in the frame
  size_t position_ = 0;         // of the next unread byte in buffer_
  std::vector<WaitingBlock> batch_;
  std::vector<uint64_t> block_offsets_;
  uint64_t original_bytes_ = 0;  // of the blocks read so far
  bool short_block_seen_ = false;
  Sha256 sha256_;
  DecodeSummary summary_;
};

// The original of a whole frame in memory.
absl::StatusOr<std::string> DecodeFrame(absl::string_view frame, const CodecSet& codecs,
                                        const FrameDecoderOptions& options = {}, const CodecContext& context = {});

}  // namespace clm
