#include "core/codec/frame_encoder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/codec/block.h"

namespace clm {
namespace {

constexpr uint64_t kSampleInterval = 8;  // blocks

}  // namespace

absl::Status FrameEncoderOptions::Validate() const {
  if (block_bytes < kMinBlockBytes || block_bytes > kMaxBlockBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("block_bytes is ", block_bytes, ", must be in [", kMinBlockBytes, ", ", kMaxBlockBytes, "]"));
  }
  if (original_bytes.has_value() && BlockCountOf(*original_bytes, block_bytes) > kMaxBlockCount) {
    return absl::InvalidArgumentError(absl::StrCat("original_bytes is ", *original_bytes, ", more than ",
                                                   kMaxBlockCount, " blocks of ", block_bytes, " bytes"));
  }
  return absl::OkStatus();
}

FrameEncoder::FrameEncoder(const FrameEncoderOptions& options, std::shared_ptr<const BlockCoder> coder, ByteSink sink,
                           CodecContext context)
    : options_(options),
      coder_(std::move(coder)),
      sink_(std::move(sink)),
      context_(std::move(context)),
      blocks_at_once_(context_.BlocksAtOnce(*coder_, options_.block_bytes)) {}

absl::StatusOr<std::unique_ptr<FrameEncoder>> FrameEncoder::Create(const FrameEncoderOptions& options,
                                                                   std::shared_ptr<const BlockCoder> coder,
                                                                   ByteSink sink, CodecContext context) {
  CLM_RETURN_IF_ERROR(options.Validate());
  const FrameHeader header = {
      .codec = coder->parameters(), .block_bytes = options.block_bytes, .original_bytes = options.original_bytes};
  std::unique_ptr<FrameEncoder> encoder(
      new FrameEncoder(options, std::move(coder), std::move(sink), std::move(context)));
  CLM_RETURN_IF_ERROR(encoder->Write(SerializeFrameHeader(header)));
  return encoder;
}

absl::Status FrameEncoder::Fail(absl::Status status) {
  if (!status.ok()) failed_ = status;
  return status;
}

absl::Status FrameEncoder::Append(absl::string_view data) {
  CLM_RETURN_IF_ERROR(failed_);
  return Fail(Take(data));
}

absl::StatusOr<FrameSummary> FrameEncoder::Finish() {
  CLM_RETURN_IF_ERROR(failed_);
  absl::StatusOr<FrameSummary> summary = TakeEnd();
  failed_ = summary.ok() ? absl::FailedPreconditionError("the frame is finished") : summary.status();
  return summary;
}

// A full batch waits for the next byte: only then it is known that its last block is not the frame's.
absl::Status FrameEncoder::Take(absl::string_view data) {
  if (options_.original_bytes.has_value() && data.size() > *options_.original_bytes - summary_.original_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("more data than original_bytes = ", *options_.original_bytes));
  }
  summary_.original_bytes += data.size();
  while (!data.empty()) {
    if (pending_.size() == batch_bytes()) CLM_RETURN_IF_ERROR(EncodePending(/*last=*/false));
    const size_t taken = std::min(data.size(), batch_bytes() - pending_.size());
    pending_.append(data.data(), taken);
    data.remove_prefix(taken);
  }
  return absl::OkStatus();
}

absl::StatusOr<FrameSummary> FrameEncoder::TakeEnd() {
  if (options_.original_bytes.has_value() && summary_.original_bytes != *options_.original_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("the data end after ", summary_.original_bytes,
                                                   " bytes, original_bytes is ", *options_.original_bytes));
  }
  CLM_RETURN_IF_ERROR(EncodePending(/*last=*/true));
  footer_.original_bytes = summary_.original_bytes;
  footer_.sha256 = sha256_.Finish();
  summary_.sha256 = footer_.sha256;
  CLM_RETURN_IF_ERROR(Write(SerializeFrameFooter(footer_)));
  return summary_;
}

bool FrameEncoder::MustVerify(uint64_t index, bool is_last) const {
  switch (options_.verify) {
    case VerifyMode::kFull:
      return true;
    case VerifyMode::kSampled:
      return is_last || index % kSampleInterval == 0;
    case VerifyMode::kNone:
      return false;
  }
  return true;
}

absl::Status FrameEncoder::EncodePending(bool last) {
  const size_t count = BlockCountOf(pending_.size(), options_.block_bytes);
  const uint64_t first = summary_.blocks;
  if (count > kMaxBlockCount - first) {
    return absl::ResourceExhaustedError(absl::StrCat("the input needs more than ", kMaxBlockCount, " blocks of ",
                                                     options_.block_bytes, " bytes; use larger blocks"));
  }
  std::vector<CodedBlock> blocks(count);
  const absl::string_view pending = pending_;
  const auto encode = [&](size_t i) {
    const absl::string_view raw = pending.substr(i * options_.block_bytes, options_.block_bytes);
    const bool verify = MustVerify(first + i, last && i + 1 == count);
    return EncodeBlock(static_cast<uint32_t>(first + i), raw, verify, blocks[i]);
  };
  if (context_.pool != nullptr) {
    CLM_RETURN_IF_ERROR(context_.pool->ParallelFor(count, context_.cancel, encode));
  } else {
    for (size_t i = 0; i < count; ++i) CLM_RETURN_IF_ERROR(encode(i));
  }
  for (const CodedBlock& block : blocks) {
    footer_.block_offsets.push_back(summary_.frame_bytes);
    ++summary_.blocks;
    summary_.stored_blocks += block.stored ? 1 : 0;
    summary_.verified_blocks += block.verified ? 1 : 0;
    summary_.verify_failures += block.verify_failed ? 1 : 0;
    CLM_RETURN_IF_ERROR(Write(block.bytes));
  }
  sha256_.Update(pending);
  pending_.clear();
  if (context_.progress) {
    context_.progress({.phase = "compress",
                       .done_units = std::min(summary_.original_bytes, summary_.blocks * options_.block_bytes),
                       .total_units = options_.original_bytes.value_or(0),
                       .unit = "bytes",
                       .metrics = {}});
  }
  return absl::OkStatus();
}

absl::Status FrameEncoder::EncodeBlock(uint32_t index, absl::string_view raw, bool verify, CodedBlock& out) const {
  const CodecId codec = coder_->parameters().codec;
  out.stored = codec == CodecId::kStored;
  if (!out.stored) {
    CLM_ASSIGN_OR_RETURN(const std::string payload, coder_->Encode(raw, context_.cancel));
    out.stored = payload.size() >= raw.size();
    if (!out.stored) out.bytes = SerializeBlock(index, codec, raw, payload);
  }
  if (out.stored) out.bytes = SerializeBlock(index, CodecId::kStored, raw, raw);
  if (!verify) return context_.cancel.Check();

  const BlockHeader header = {.index = index,
                              .raw_bytes = static_cast<uint32_t>(raw.size()),
                              .coded_bytes = static_cast<uint32_t>(out.bytes.size() - kBlockOverheadBytes),
                              .codec = out.stored ? CodecId::kStored : codec};
  const absl::StatusOr<std::string> decoded =
      DecodeBlock(out.bytes, header, {.index = index, .offset = 0}, *coder_, context_.cancel, raw);
  CLM_RETURN_IF_ERROR(context_.cancel.Check());
  out.verified = true;
  out.verify_failed = !decoded.ok() || *decoded != raw;
  if (out.verify_failed) {
    out.stored = true;
    out.bytes = SerializeBlock(index, CodecId::kStored, raw, raw);
  }
  return absl::OkStatus();
}

absl::Status FrameEncoder::Write(absl::string_view bytes) {
  summary_.frame_bytes += bytes.size();
  return sink_(bytes);
}

absl::StatusOr<std::string> EncodeFrame(absl::string_view data, std::shared_ptr<const BlockCoder> coder,
                                        FrameEncoderOptions options, const CodecContext& context) {
  options.original_bytes = data.size();
  std::string frame;
  const auto sink = [&frame](absl::string_view bytes) {
    frame.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  };
  CLM_ASSIGN_OR_RETURN(const auto encoder, FrameEncoder::Create(options, std::move(coder), sink, context));
  CLM_RETURN_IF_ERROR(encoder->Append(data));
  CLM_RETURN_IF_ERROR(encoder->Finish().status());
  return frame;
}

}  // namespace clm
