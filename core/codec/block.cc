#include "core/codec/block.h"

#include "absl/strings/str_cat.h"
#include "core/base/byte_reader.h"
#include "core/base/byte_writer.h"
#include "core/base/checksum.h"
#include "core/base/status_macros.h"
#include "core/codec/stored_block.h"

namespace clm {
namespace {

uint32_t ReadTrailer(absl::string_view block, size_t from_end) {
  ByteReader in(block.substr(block.size() - from_end));
  uint32_t crc = 0;
  (void)in.ReadU32(crc);  // the caller has checked the length
  return crc;
}

absl::Status CheckIndex(uint32_t index, BlockPlace place) {
  if (index == place.index) return absl::OkStatus();
  if (index < place.index) return BlockDamage(place.index, place.offset, absl::StrCat("block ", index, " comes again"));
  return BlockDamage(place.index, place.offset, absl::StrCat("block ", index, " stands in its place"));
}

absl::Status CheckLengths(const BlockHeader& header, const FrameHeader& frame, BlockPlace place) {
  if (header.raw_bytes == 0 || header.raw_bytes > frame.block_bytes) {
    return BlockDamage(place.index, place.offset,
                       absl::StrCat("raw length ", header.raw_bytes, ", must be in [1, ", frame.block_bytes, "]"));
  }
  const bool stored = header.codec == CodecId::kStored;
  if (stored ? header.coded_bytes != header.raw_bytes : header.coded_bytes >= header.raw_bytes) {
    return BlockDamage(place.index, place.offset,
                       absl::StrCat("coded length ", header.coded_bytes, " of ", header.raw_bytes, " bytes, ",
                                    CodecName(header.codec)));
  }
  return absl::OkStatus();
}

}  // namespace

std::string SerializeBlock(uint32_t index, CodecId codec, absl::string_view raw, absl::string_view payload) {
  ByteWriter out;
  out.WriteU32(index);
  out.WriteU32(static_cast<uint32_t>(raw.size()));
  out.WriteU32(static_cast<uint32_t>(payload.size()));
  out.WriteU8(static_cast<uint8_t>(codec));
  out.WriteBytes(payload);
  out.WriteU32(Crc32c(out.view()));
  out.WriteU32(Crc32c(raw));
  return out.Take();
}

absl::StatusOr<BlockHeader> ParseBlockHeader(absl::string_view data, const FrameHeader& frame, BlockPlace place) {
  ByteReader in(data);
  BlockHeader header;
  uint8_t codec = 0;
  if (!in.ReadU32(header.index) || !in.ReadU32(header.raw_bytes) || !in.ReadU32(header.coded_bytes) ||
      !in.ReadU8(codec)) {
    return BlockDamage(place.index, place.offset, "truncated in its header");
  }
  header.codec = static_cast<CodecId>(codec);
  CLM_RETURN_IF_ERROR(CheckIndex(header.index, place));
  if (header.codec != CodecId::kStored && header.codec != frame.codec.codec) {
    return BlockDamage(place.index, place.offset,
                       absl::StrCat("codec id ", codec, " in a frame of ", CodecName(frame.codec.codec), " blocks"));
  }
  CLM_RETURN_IF_ERROR(CheckLengths(header, frame, place));
  return header;
}

absl::Status CheckCodedChecksum(absl::string_view block, BlockPlace place) {
  const absl::string_view checked = block.substr(0, block.size() - kBlockTrailerBytes);
  if (Crc32c(checked) == ReadTrailer(block, kBlockTrailerBytes)) return absl::OkStatus();
  return BlockDamage(place.index, place.offset, "checksum mismatch of the coded bytes");
}

absl::StatusOr<std::string> DecodeBlock(absl::string_view block, const BlockHeader& header, BlockPlace place,
                                        const BlockCoder& coder, const CancellationToken& cancel,
                                        std::optional<absl::string_view> expected) {
  CLM_RETURN_IF_ERROR(CheckCodedChecksum(block, place));
  const absl::string_view payload = block.substr(kBlockHeaderBytes, header.coded_bytes);
  const StoredBlock stored;
  const BlockCoder& by = header.codec == CodecId::kStored ? static_cast<const BlockCoder&>(stored) : coder;
  absl::StatusOr<std::string> raw = expected.has_value() ? by.DecodeExpecting(payload, *expected, cancel)
                                                         : by.Decode(payload, header.raw_bytes, cancel);
  if (!raw.ok()) {
    if (raw.status().code() != absl::StatusCode::kDataLoss) return raw.status();
    return BlockDamage(place.index, place.offset, raw.status().message());
  }
  if (Crc32c(*raw) != ReadTrailer(block, 4)) {
    return BlockDamage(place.index, place.offset, "checksum mismatch of the decoded bytes");
  }
  return raw;
}

}  // namespace clm
