#include "core/codec/frame_decoder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/byte_reader.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr size_t kPieceBytes = size_t{256} << 10;  // how much input is copied before it is worked off

}  // namespace

absl::Status FrameDecoderOptions::Validate() const {
  if (range_length == 0 && range_offset != 0) {
    return absl::InvalidArgumentError(absl::StrCat("range_length is 0 at range_offset ", range_offset));
  }
  if (range_length > std::numeric_limits<uint64_t>::max() - range_offset) {
    return absl::InvalidArgumentError(
        absl::StrCat("range_offset ", range_offset, " + range_length ", range_length, " is beyond 2^64"));
  }
  return absl::OkStatus();
}

FrameDecoder::FrameDecoder(const FrameDecoderOptions& options, CodecSet codecs, ByteSink sink, CodecContext context)
    : options_(options), codecs_(std::move(codecs)), sink_(std::move(sink)), context_(std::move(context)) {}

absl::StatusOr<std::unique_ptr<FrameDecoder>> FrameDecoder::Create(const FrameDecoderOptions& options, CodecSet codecs,
                                                                   ByteSink sink, CodecContext context) {
  CLM_RETURN_IF_ERROR(options.Validate());
  return std::unique_ptr<FrameDecoder>(
      new FrameDecoder(options, std::move(codecs), std::move(sink), std::move(context)));
}

absl::Status FrameDecoder::Append(absl::string_view data) {
  CLM_RETURN_IF_ERROR(failed_);
  failed_ = Take(data);
  return failed_;
}

absl::StatusOr<DecodeSummary> FrameDecoder::Finish() {
  CLM_RETURN_IF_ERROR(failed_);
  failed_ = DecodeBatch();
  if (failed_.ok()) failed_ = AtEnd();
  CLM_RETURN_IF_ERROR(failed_);
  failed_ = absl::FailedPreconditionError("the frame is finished");
  return summary_;
}

absl::Status FrameDecoder::Take(absl::string_view data) {
  while (!data.empty()) {
    CLM_RETURN_IF_ERROR(context_.cancel.Check());
    const absl::string_view piece = data.substr(0, kPieceBytes);
    buffer_.append(piece.data(), piece.size());
    data.remove_prefix(piece.size());
    CLM_RETURN_IF_ERROR(Advance());
  }
  return absl::OkStatus();
}

absl::Status FrameDecoder::Advance() {
  if (state_ == State::kHeader) CLM_RETURN_IF_ERROR(ReadHeader());
  if (state_ == State::kBlocks) CLM_RETURN_IF_ERROR(ReadBlocks());
  if (state_ == State::kFooter) CLM_RETURN_IF_ERROR(ReadFooter());
  if (state_ == State::kDone && !unread().empty()) {
    const bool another = unread().substr(0, kFrameMagic.size()) == kFrameMagic;
    return absl::DataLossError(absl::StrCat("frame: ends at byte ", offset(), ", but ",
                                            another ? "a second frame follows" : "more bytes follow"));
  }
  return absl::OkStatus();
}

absl::Status FrameDecoder::ReadHeader() {
  if (unread().size() < kFrameHeaderBytes) return absl::OkStatus();
  CLM_ASSIGN_OR_RETURN(header_, ParseFrameHeader(unread()));
  if (header_->original_bytes.value_or(0) > options_.max_original_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("the frame declares ", *header_->original_bytes,
                                                     " original bytes, the limit is ", options_.max_original_bytes));
  }
  CLM_ASSIGN_OR_RETURN(coder_, codecs_.Find(header_->codec));
  blocks_at_once_ = context_.BlocksAtOnce(*coder_, header_->block_bytes);
  position_ += kFrameHeaderBytes;
  state_ = State::kBlocks;
  return absl::OkStatus();
}

// Damage in a block must not keep back the intact blocks that came before it in the same batch.
absl::Status FrameDecoder::ReadBlocks() {
  while (state_ == State::kBlocks) {
    const absl::StatusOr<bool> complete = ReadBlock();
    if (!complete.ok() || state_ == State::kFooter || batch_.size() >= blocks_at_once_)
      CLM_RETURN_IF_ERROR(DecodeBatch());
    if (!complete.ok()) return complete.status();
    if (!*complete) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> FrameDecoder::ReadBlock() {
  const absl::string_view input = unread();
  ByteReader in(input);
  uint32_t index = 0;
  if (!in.ReadU32(index)) return false;
  if (index == kFooterMarker) {
    state_ = State::kFooter;
    return false;
  }
  if (input.size() < kBlockHeaderBytes) return false;
  const BlockPlace place = {.index = static_cast<uint32_t>(block_offsets_.size()), .offset = offset()};
  CLM_ASSIGN_OR_RETURN(const BlockHeader block, ParseBlockHeader(input, *header_, place));
  CLM_RETURN_IF_ERROR(CheckOrder(block, place));
  if (input.size() < block.total_bytes()) return false;
  batch_.push_back({.header = block, .place = place, .position = position_});
  block_offsets_.push_back(place.offset);
  original_bytes_ += block.raw_bytes;
  short_block_seen_ = block.raw_bytes < header_->block_bytes;
  position_ += block.total_bytes();
  return true;
}

absl::Status FrameDecoder::CheckOrder(const BlockHeader& block, BlockPlace place) const {
  if (short_block_seen_) return BlockDamage(place.index, place.offset, "follows a block shorter than the block size");
  if (place.index == kMaxBlockCount) return BlockDamage(place.index, place.offset, "more blocks than a frame can have");
  const uint64_t total = original_bytes_ + block.raw_bytes;
  if (total > header_->original_bytes.value_or(total)) {
    return BlockDamage(place.index, place.offset,
                       absl::StrCat("makes ", total, " original bytes, the header says ", *header_->original_bytes));
  }
  if (total > options_.max_original_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("frame block ", place.index, " makes ", total,
                                                     " original bytes, the limit is ", options_.max_original_bytes));
  }
  return absl::OkStatus();
}

absl::Status FrameDecoder::DecodeBatch() {
  std::vector<std::string> raw(batch_.size());
  std::vector<absl::Status> results(batch_.size());
  // Each block keeps its own result: the blocks before a damaged one are still written.
  const auto decode = [&](size_t i) {
    results[i] = DecodeOne(batch_[i], raw[i]);
    return absl::OkStatus();
  };
  if (context_.pool != nullptr) {
    CLM_RETURN_IF_ERROR(context_.pool->ParallelFor(batch_.size(), context_.cancel, decode));
  } else {
    for (size_t i = 0; i < batch_.size(); ++i) CLM_RETURN_IF_ERROR(decode(i));
  }
  for (size_t i = 0; i < batch_.size(); ++i) {
    CLM_RETURN_IF_ERROR(results[i]);
    CLM_RETURN_IF_ERROR(Emit(batch_[i], raw[i]));
  }
  if (context_.progress && !batch_.empty()) {
    context_.progress({.phase = "decompress",
                       .done_units = original_bytes_,
                       .total_units = header_->original_bytes.value_or(0),
                       .unit = "bytes",
                       .metrics = {}});
  }
  batch_.clear();
  buffer_offset_ += position_;
  buffer_.erase(0, position_);
  position_ = 0;
  return absl::OkStatus();
}

bool FrameDecoder::Wanted(const WaitingBlock& block) const {
  if (whole()) return true;
  const uint64_t begin = uint64_t{block.place.index} * header_->block_bytes;
  return begin < options_.range_offset + options_.range_length &&
         options_.range_offset < begin + block.header.raw_bytes;
}

absl::Status FrameDecoder::DecodeOne(const WaitingBlock& block, std::string& raw) const {
  const absl::string_view bytes = absl::string_view(buffer_).substr(block.position, block.header.total_bytes());
  if (!Wanted(block)) return CheckCodedChecksum(bytes, block.place);
  CLM_ASSIGN_OR_RETURN(raw, DecodeBlock(bytes, block.header, block.place, *coder_, context_.cancel));
  return absl::OkStatus();
}

absl::Status FrameDecoder::Emit(const WaitingBlock& block, absl::string_view raw) {
  ++summary_.blocks;
  if (!Wanted(block)) return absl::OkStatus();
  ++summary_.decoded_blocks;
  summary_.stored_blocks += block.header.codec == CodecId::kStored ? 1 : 0;
  if (!whole()) {
    const uint64_t begin = uint64_t{block.place.index} * header_->block_bytes;
    const uint64_t first = std::max(begin, options_.range_offset) - begin;
    const uint64_t end = std::min(begin + raw.size(), options_.range_offset + options_.range_length) - begin;
    raw = raw.substr(first, end - first);
  }
  sha256_.Update(raw);
  summary_.decoded_bytes += raw.size();
  return sink_(raw);
}

absl::Status FrameDecoder::ReadFooter() {
  const uint64_t length = FooterBytes(block_offsets_.size());
  if (unread().size() < length) return absl::OkStatus();
  CLM_ASSIGN_OR_RETURN(const FrameFooter footer, ParseFrameFooter(unread().substr(0, length), block_offsets_.size()));
  CLM_RETURN_IF_ERROR(CheckFooter(footer));
  summary_.original_bytes = footer.original_bytes;
  summary_.sha256 = sha256_.Finish();
  summary_.sha256_verified = whole();
  if (whole() && summary_.sha256 != footer.sha256) {
    return absl::DataLossError(absl::StrCat("frame: the SHA-256 of the decoded bytes is ", ToHex(summary_.sha256),
                                            ", the footer says ", ToHex(footer.sha256)));
  }
  position_ += length;
  state_ = State::kDone;
  return absl::OkStatus();
}

absl::Status FrameDecoder::CheckFooter(const FrameFooter& footer) const {
  if (footer.original_bytes != original_bytes_ ||
      header_->original_bytes.value_or(original_bytes_) != original_bytes_) {
    return absl::DataLossError(absl::StrCat("frame footer: the blocks have ", original_bytes_,
                                            " bytes, the footer says ", footer.original_bytes, ", the header ",
                                            header_->original_bytes.value_or(original_bytes_)));
  }
  for (size_t i = 0; i < block_offsets_.size(); ++i) {
    if (footer.block_offsets[i] == block_offsets_[i]) continue;
    return absl::DataLossError(absl::StrCat("frame footer: block ", i, " begins at byte ", block_offsets_[i],
                                            ", the footer says ", footer.block_offsets[i]));
  }
  if (options_.range_length != 0 && options_.range_offset + options_.range_length > original_bytes_) {
    return absl::OutOfRangeError(absl::StrCat("bytes [", options_.range_offset, ", ",
                                              options_.range_offset + options_.range_length, ") of an original of ",
                                              original_bytes_));
  }
  return absl::OkStatus();
}

absl::Status FrameDecoder::AtEnd() const {
  switch (state_) {
    case State::kHeader: {
      const absl::Status status = ParseFrameHeader(unread()).status();  // says what is wrong with what there is
      return status.ok() ? absl::InternalError("a complete header was not read") : status;
    }
    case State::kBlocks:
      return BlockDamage(block_offsets_.size(), offset(), "truncated");
    case State::kFooter:
      return absl::DataLossError(absl::StrCat("frame footer at byte ", offset(), ": truncated, ", unread().size(),
                                              " of ", FooterBytes(block_offsets_.size()), " bytes"));
    case State::kDone:
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> DecodeFrame(absl::string_view frame, const CodecSet& codecs,
                                        const FrameDecoderOptions& options, const CodecContext& context) {
  std::string original;
  const auto sink = [&original](absl::string_view bytes) {
    original.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  };
  CLM_ASSIGN_OR_RETURN(const auto decoder, FrameDecoder::Create(options, codecs, sink, context));
  CLM_RETURN_IF_ERROR(decoder->Append(frame));
  CLM_RETURN_IF_ERROR(decoder->Finish().status());
  return original;
}

}  // namespace clm
