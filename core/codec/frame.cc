#include "core/codec/frame.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/byte_reader.h"
#include "core/base/byte_writer.h"
#include "core/base/checksum.h"
#include "core/base/status_macros.h"
#include "core/entropy/cdf.h"

namespace clm {
namespace {

constexpr size_t kMaxWaitingBytes = size_t{64} << 20;

constexpr uint64_t kUnknownLength = std::numeric_limits<uint64_t>::max();
constexpr uint32_t kUnknownCount = std::numeric_limits<uint32_t>::max();

template <size_t kSize>
absl::string_view ViewOf(const std::array<uint8_t, kSize>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <size_t kSize>
[[nodiscard]] bool ReadArray(ByteReader& in, std::array<uint8_t, kSize>& bytes) {
  absl::string_view view;
  if (!in.ReadBytes(kSize, view)) return false;
  std::copy(view.begin(), view.end(), bytes.begin());
  return true;
}

absl::Status CheckMagic(absl::string_view data) {
  const absl::string_view magic = data.substr(0, kFrameMagic.size());
  if (magic == kFrameMagic.substr(0, magic.size())) return absl::OkStatus();
  if (std::equal(magic.begin(), magic.end(), kFrameMagic.rbegin(), kFrameMagic.rend())) {
    return absl::DataLossError("frame header: the magic is byte-swapped; frames are little-endian");
  }
  return absl::DataLossError(
      absl::StrCat("not a frame: begins with \"", absl::CHexEscape(magic), "\", not with \"", kFrameMagic, "\""));
}

// As they stand in the header.
struct RawHeader {
  uint8_t codec = 0;
  uint16_t flags = 0;
  uint64_t original_bytes = 0;
  uint32_t block_bytes = 0;
  uint32_t block_count = 0;
  uint16_t reserved = 0;
};

absl::Status CheckSizes(const RawHeader& raw) {
  if (raw.block_bytes < kMinBlockBytes || raw.block_bytes > kMaxBlockBytes) {
    return absl::DataLossError(absl::StrCat("frame header: block size ", raw.block_bytes, ", must be in [",
                                            kMinBlockBytes, ", ", kMaxBlockBytes, "]"));
  }
  if (raw.original_bytes == kUnknownLength && raw.block_count == kUnknownCount) return absl::OkStatus();
  const uint64_t blocks = BlockCountOf(raw.original_bytes, raw.block_bytes);
  if (blocks != raw.block_count || blocks > kMaxBlockCount) {
    return absl::DataLossError(absl::StrCat("frame header: ", raw.original_bytes, " bytes in blocks of ",
                                            raw.block_bytes, " are ", blocks, " blocks, the header says ",
                                            raw.block_count));
  }
  return absl::OkStatus();
}

absl::Status CheckCodec(const RawHeader& raw, const CodecParameters& codec) {
  if (raw.flags != 0) {
    return absl::UnimplementedError(absl::StrCat("frame header: unknown flags 0x", absl::Hex(raw.flags)));
  }
  if (!IsKnownCodec(raw.codec)) {
    return absl::UnimplementedError(absl::StrCat("frame header: unknown codec id ", raw.codec));
  }
  if (raw.reserved != 0 || codec.boundary_policy != 0) {
    return absl::UnimplementedError(absl::StrCat("frame header: unknown boundary policy ", codec.boundary_policy,
                                                 " or reserved bits 0x", absl::Hex(raw.reserved)));
  }
  const bool stored = codec.codec == CodecId::kStored;
  if (stored ? codec.precision_bits != 0
             : codec.precision_bits < kMinPrecisionBits || codec.precision_bits > kMaxPrecisionBits) {
    return absl::DataLossError(
        absl::StrCat("frame header: precision ", codec.precision_bits, " of a ", CodecName(codec.codec), " frame"));
  }
  return absl::OkStatus();
}

absl::Status HeaderTruncated(size_t have) {
  return absl::DataLossError(absl::StrCat("frame header: truncated, ", have, " of ", kFrameHeaderBytes, " bytes"));
}

// The part that every version shares, then the length and checksum of this one.
absl::Status CheckHeaderEnvelope(absl::string_view data) {
  CLM_RETURN_IF_ERROR(CheckMagic(data));
  if (data.size() <= kFrameMagic.size()) return HeaderTruncated(data.size());
  const auto version = static_cast<uint8_t>(data[kFrameMagic.size()]);
  if (version > kFrameVersion) {
    return absl::UnimplementedError(
        absl::StrCat("frame version ", version, "; this program reads version ", kFrameVersion));
  }
  if (version == 0) return absl::DataLossError("frame header: version 0 does not exist");
  if (data.size() < kFrameHeaderBytes) return HeaderTruncated(data.size());
  ByteReader length_field(data.substr(8, 4));
  ByteReader crc_field(data.substr(kFrameHeaderBytes - 4, 4));
  uint32_t length = 0;
  uint32_t crc = 0;
  if (!length_field.ReadU32(length) || !crc_field.ReadU32(crc)) return HeaderTruncated(data.size());
  if (length != kFrameHeaderBytes) {
    return absl::DataLossError(absl::StrCat("frame header: length ", length, ", must be ", kFrameHeaderBytes));
  }
  if (Crc32c(data.substr(0, kFrameHeaderBytes - 4)) != crc)
    return absl::DataLossError("frame header: checksum mismatch");
  return absl::OkStatus();
}

}  // namespace

uint64_t BlockCountOf(uint64_t original_bytes, uint32_t block_bytes) {
  return original_bytes / block_bytes + (original_bytes % block_bytes != 0 ? 1 : 0);
}

uint64_t FooterBytes(uint64_t blocks) { return 4 + 8 * blocks + kFooterTailBytes; }

std::string SerializeFrameHeader(const FrameHeader& header) {
  ByteWriter out;
  out.WriteBytes(kFrameMagic);
  out.WriteU8(kFrameVersion);
  out.WriteU8(static_cast<uint8_t>(header.codec.codec));
  out.WriteU16(0);  // flags
  out.WriteU32(kFrameHeaderBytes);
  out.WriteU64(header.original_bytes.value_or(kUnknownLength));
  out.WriteU32(header.block_bytes);
  out.WriteU32(header.original_bytes.has_value()
                   ? static_cast<uint32_t>(BlockCountOf(*header.original_bytes, header.block_bytes))
                   : kUnknownCount);
  out.WriteBytes(ViewOf(header.codec.predictor));
  out.WriteBytes(ViewOf(header.codec.representation));
  out.WriteBytes(ViewOf(header.codec.canary));
  out.WriteU32(header.codec.window_symbols);
  out.WriteU32(header.codec.top_k);
  out.WriteU8(header.codec.precision_bits);
  out.WriteU8(header.codec.boundary_policy);
  out.WriteU16(0);  // reserved
  out.WriteU32(Crc32c(out.view()));
  return out.Take();
}

absl::StatusOr<FrameHeader> ParseFrameHeader(absl::string_view data) {
  CLM_RETURN_IF_ERROR(CheckHeaderEnvelope(data));
  ByteReader in(data.substr(0, kFrameHeaderBytes));
  RawHeader raw;
  FrameHeader header;
  CodecParameters& codec = header.codec;
  absl::string_view magic;
  uint8_t version = 0;
  uint32_t length = 0;
  const bool complete = in.ReadBytes(kFrameMagic.size(), magic) && in.ReadU8(version) && in.ReadU8(raw.codec) &&
                        in.ReadU16(raw.flags) && in.ReadU32(length) && in.ReadU64(raw.original_bytes) &&
                        in.ReadU32(raw.block_bytes) && in.ReadU32(raw.block_count) && ReadArray(in, codec.predictor) &&
                        ReadArray(in, codec.representation) && ReadArray(in, codec.canary) &&
                        in.ReadU32(codec.window_symbols) && in.ReadU32(codec.top_k) &&
                        in.ReadU8(codec.precision_bits) && in.ReadU8(codec.boundary_policy) && in.ReadU16(raw.reserved);
  if (!complete) return HeaderTruncated(data.size());
  codec.codec = static_cast<CodecId>(raw.codec);
  CLM_RETURN_IF_ERROR(CheckCodec(raw, codec));
  CLM_RETURN_IF_ERROR(CheckSizes(raw));
  header.block_bytes = raw.block_bytes;
  if (raw.original_bytes != kUnknownLength) header.original_bytes = raw.original_bytes;
  return header;
}

std::string SerializeFrameFooter(const FrameFooter& footer) {
  ByteWriter out;
  out.WriteU32(kFooterMarker);
  for (uint64_t offset : footer.block_offsets) out.WriteU64(offset);
  out.WriteU64(footer.original_bytes);
  out.WriteU32(static_cast<uint32_t>(footer.block_offsets.size()));
  out.WriteBytes(ViewOf(footer.sha256));
  out.WriteU32(Crc32c(out.view()));
  out.WriteBytes(kFrameEndMagic);
  return out.Take();
}

absl::StatusOr<FrameFooter> ParseFrameFooter(absl::string_view data, uint64_t blocks) {
  if (data.size() != FooterBytes(blocks)) {
    return absl::DataLossError(
        absl::StrCat("frame footer: truncated, ", data.size(), " of ", FooterBytes(blocks), " bytes"));
  }
  if (data.substr(data.size() - kFrameEndMagic.size()) != kFrameEndMagic) {
    return absl::DataLossError("frame footer: the end magic is missing");
  }
  const size_t checked = data.size() - kFrameEndMagic.size() - 4;
  ByteReader in(data);
  FrameFooter footer;
  uint32_t marker = 0;
  bool complete = in.ReadU32(marker);
  footer.block_offsets.resize(blocks);  // as many as `data` holds: checked above
  for (uint64_t& offset : footer.block_offsets) complete = complete && in.ReadU64(offset);
  uint32_t count = 0;
  uint32_t crc = 0;
  complete = complete && in.ReadU64(footer.original_bytes) && in.ReadU32(count) && ReadArray(in, footer.sha256) &&
             in.ReadU32(crc);
  if (!complete || Crc32c(data.substr(0, checked)) != crc) {
    return absl::DataLossError("frame footer: checksum mismatch");
  }
  if (marker != kFooterMarker || count != blocks) {
    return absl::DataLossError(absl::StrCat("frame footer: says ", count, " blocks, the frame has ", blocks));
  }
  return footer;
}

absl::Status BlockDamage(uint64_t index, uint64_t offset, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("frame block ", index, " at byte ", offset, ": ", what));
}

size_t CodecContext::BlocksAtOnce(const BlockCoder& coder, uint32_t block_bytes) const {
  if (pool == nullptr) return 1;
  const size_t computing = processors > 0 ? processors : pool->threads();
  const size_t wanted = coder.BlocksAtOnce(computing);
  const size_t fitting = std::max(computing, kMaxWaitingBytes / block_bytes);
  return std::clamp<size_t>(std::min(wanted, fitting), 1, pool->threads());
}

}  // namespace clm
