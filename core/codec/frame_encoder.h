// FrameEncoder: bytes in any cut to a frame, block by block.
//
//   CLM_ASSIGN_OR_RETURN(auto encoder, FrameEncoder::Create(options, coder, sink, context));
//   CLM_RETURN_IF_ERROR(encoder->Append(data));                        // as often as there is data
//   CLM_ASSIGN_OR_RETURN(const FrameSummary summary, encoder->Finish());
//
// The frame depends on the bytes, the options and the coder's parameters alone: not on how Append was cut, nor on the
// number of threads. A block that its coder does not make smaller is stored. So is a block whose payload does not
// decode back: that is counted in verify_failures, and the frame is still right.
//
// Memory: for each block in work at once one block in, one out, and what the coder needs; plus 8 bytes per block for
// the footer. Never the whole input. Thread-safety: not thread-safe; it runs its blocks on context.pool. After an error
// every later call returns that error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/codec/block_coder.h"
#include "core/codec/frame.h"

namespace clm {

enum class VerifyMode : uint8_t {
  kFull = 1,     // every block is decoded again before it is written; doubles the work
  kSampled = 2,  // one block in eight, by block number, and the last one
  kNone = 3,     // none; the checksums still guard every decoder
};

struct FrameEncoderOptions {
  // Bytes of a block before coding. Smaller blocks mean finer random access and more threads at work, larger ones a
  // smaller frame: text costs about 7 % more at 256 KiB than at 1 MiB. Range [4096, 16777216].
  uint32_t block_bytes = kDefaultBlockBytes;
  VerifyMode verify = VerifyMode::kFull;
  // The input's length when it is known: written to the header, so that a reader of a stream can tell it at the start.
  std::optional<uint64_t> original_bytes = {};

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

struct FrameSummary {
  uint64_t original_bytes = 0;
  uint64_t frame_bytes = 0;
  uint64_t blocks = 0;
  uint64_t stored_blocks = 0;
  uint64_t verified_blocks = 0;  // decoded again, with success or not
  uint64_t verify_failures = 0;  // of these, did not come back and were stored instead; alert above 0
  Sha256Digest sha256{};         // of the original
};

class FrameEncoder {
 public:
  // INVALID_ARGUMENT for options out of range. The header goes to `sink` at once.
  static absl::StatusOr<std::unique_ptr<FrameEncoder>> Create(const FrameEncoderOptions& options,
                                                              std::shared_ptr<const BlockCoder> coder, ByteSink sink,
                                                              CodecContext context);

  // CANCELLED or DEADLINE_EXCEEDED from context.cancel, any error of the sink, INVALID_ARGUMENT for more bytes than
  // options.original_bytes, RESOURCE_EXHAUSTED beyond kMaxBlockCount blocks.
  absl::Status Append(absl::string_view data);
  // The last blocks and the footer. As Append, and INVALID_ARGUMENT for fewer bytes than options.original_bytes. Call
  // once.
  absl::StatusOr<FrameSummary> Finish();

 private:
  // One block, coded.
  struct CodedBlock {
    std::string bytes;
    bool stored = false;
    bool verified = false;
    bool verify_failed = false;
  };

  FrameEncoder(const FrameEncoderOptions& options, std::shared_ptr<const BlockCoder> coder, ByteSink sink,
               CodecContext context);

  absl::Status Fail(absl::Status status);
  absl::Status Take(absl::string_view data);
  absl::StatusOr<FrameSummary> TakeEnd();
  absl::Status EncodePending(bool last);
  absl::Status EncodeBlock(uint32_t index, absl::string_view raw, bool verify, CodedBlock& out) const;
  bool MustVerify(uint64_t index, bool is_last) const;
  absl::Status Write(absl::string_view bytes);
  size_t batch_bytes() const { return size_t{options_.block_bytes} * blocks_at_once_; }

  const FrameEncoderOptions options_;
  const std::shared_ptr<const BlockCoder> coder_;
  const ByteSink sink_;
  const CodecContext context_;
  const size_t blocks_at_once_;

  absl::Status failed_;
  std::string pending_;  // not coded yet; at most batch_bytes()
  Sha256 sha256_;
  FrameFooter footer_;
  FrameSummary summary_;
};

// The whole frame of `data`, with its length in the header; options.original_bytes is ignored.
absl::StatusOr<std::string> EncodeFrame(absl::string_view data, std::shared_ptr<const BlockCoder> coder,
                                        FrameEncoderOptions options = {}, const CodecContext& context = {});

}  // namespace clm
