#include "core/codec/frame_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/byte_reader.h"
#include "core/base/status_macros.h"
#include "core/codec/block.h"

namespace clm {
namespace {

absl::StatusOr<std::string> ReadExactly(const RandomAccessFile& file, uint64_t offset, size_t length) {
  std::string data;
  CLM_RETURN_IF_ERROR(file.Read(offset, length, data));
  if (data.size() != length) {
    return absl::DataLossError(
        absl::StrCat("frame: ", data.size(), " of ", length, " bytes at byte ", offset, "; the file has shrunk"));
  }
  return data;
}

// How many blocks the end of the file says there are, once it is known that the file is long enough for them.
absl::StatusOr<uint32_t> ReadBlockCount(const RandomAccessFile& file) {
  const uint64_t size = file.size_bytes();
  if (size < kFrameHeaderBytes + FooterBytes(0)) {
    return absl::DataLossError(absl::StrCat("frame: truncated, ", size, " bytes"));
  }
  CLM_ASSIGN_OR_RETURN(const std::string tail, ReadExactly(file, size - kFooterTailBytes, kFooterTailBytes));
  if (absl::string_view(tail).substr(kFooterTailBytes - kFrameEndMagic.size()) != kFrameEndMagic) {
    return absl::DataLossError(
        "frame footer: the end magic is missing; the frame is truncated or followed by other bytes");
  }
  ByteReader in(tail);
  uint64_t original_bytes = 0;
  uint32_t blocks = 0;
  if (!in.ReadU64(original_bytes) || !in.ReadU32(blocks)) return absl::DataLossError("frame footer: truncated");
  if (FooterBytes(blocks) > size - kFrameHeaderBytes) {
    return absl::DataLossError(absl::StrCat("frame footer: ", blocks, " blocks in a file of ", size, " bytes"));
  }
  return blocks;
}

// Offsets must describe blocks that lie side by side from the header to the footer, each of a possible length.
absl::Status CheckLayout(const FrameHeader& header, const FrameFooter& footer, uint64_t footer_offset) {
  if (BlockCountOf(footer.original_bytes, header.block_bytes) != footer.block_offsets.size() ||
      header.original_bytes.value_or(footer.original_bytes) != footer.original_bytes) {
    return absl::DataLossError(absl::StrCat(
        "frame footer: ", footer.original_bytes, " bytes in ", footer.block_offsets.size(), " blocks of ",
        header.block_bytes, ", the header says ", header.original_bytes.value_or(footer.original_bytes), " bytes"));
  }
  uint64_t previous = kFrameHeaderBytes;
  for (size_t i = 0; i <= footer.block_offsets.size(); ++i) {
    const uint64_t offset = i < footer.block_offsets.size() ? footer.block_offsets[i] : footer_offset;
    const uint64_t length = offset - previous;
    const bool possible = i == 0 ? length == 0
                                 : offset > previous && length >= kBlockOverheadBytes &&
                                       length <= kBlockOverheadBytes + header.block_bytes;
    if (!possible) {
      return absl::DataLossError(absl::StrCat("frame footer: offset ", offset, " after offset ", previous,
                                              " cannot be where block ", i, " begins"));
    }
    previous = offset;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FrameFooter> ReadFrameFooter(const RandomAccessFile& file) {
  CLM_ASSIGN_OR_RETURN(const uint32_t blocks, ReadBlockCount(file));
  const uint64_t length = FooterBytes(blocks);
  CLM_ASSIGN_OR_RETURN(const std::string end, ReadExactly(file, file.size_bytes() - length, length));
  return ParseFrameFooter(end, blocks);
}

absl::StatusOr<FrameReader> FrameReader::Create(const RandomAccessFile& file, const CodecSet& codecs) {
  std::string start;
  CLM_RETURN_IF_ERROR(file.Read(0, kFrameHeaderBytes, start));
  CLM_ASSIGN_OR_RETURN(const FrameHeader header, ParseFrameHeader(start));
  CLM_ASSIGN_OR_RETURN(std::shared_ptr<const BlockCoder> coder, codecs.Find(header.codec));
  CLM_ASSIGN_OR_RETURN(FrameFooter footer, ReadFrameFooter(file));
  CLM_RETURN_IF_ERROR(CheckLayout(header, footer, file.size_bytes() - FooterBytes(footer.block_offsets.size())));
  return FrameReader(file, header, std::move(footer), std::move(coder));
}

uint64_t FrameReader::BlockEnd(size_t index) const {
  if (index + 1 < block_count()) return footer_.block_offsets[index + 1];
  return file_->size_bytes() - FooterBytes(block_count());
}

absl::StatusOr<std::string> FrameReader::DecodeBlock(size_t index, const CancellationToken& cancel) const {
  if (index >= block_count()) {
    return absl::OutOfRangeError(absl::StrCat("block ", index, " of a frame of ", block_count(), " blocks"));
  }
  const BlockPlace place = {.index = static_cast<uint32_t>(index), .offset = footer_.block_offsets[index]};
  CLM_ASSIGN_OR_RETURN(const std::string block, ReadExactly(*file_, place.offset, BlockEnd(index) - place.offset));
  CLM_ASSIGN_OR_RETURN(const BlockHeader header, ParseBlockHeader(block, header_, place));
  const uint64_t begin = uint64_t{place.index} * header_.block_bytes;
  const uint64_t expected = std::min<uint64_t>(header_.block_bytes, footer_.original_bytes - begin);
  if (header.total_bytes() != block.size() || header.raw_bytes != expected) {
    return BlockDamage(index, place.offset,
                       absl::StrCat("is ", header.total_bytes(), " bytes for ", header.raw_bytes,
                                    ", the footer leaves room for ", block.size(), " bytes for ", expected));
  }
  return clm::DecodeBlock(block, header, place, *coder_, cancel);
}

absl::Status FrameReader::DecodeRange(uint64_t offset, uint64_t length, const ByteSink& sink,
                                      const CancellationToken& cancel) const {
  if (offset > original_bytes() || length > original_bytes() - offset) {
    return absl::OutOfRangeError(
        absl::StrCat(length, " bytes from byte ", offset, " of an original of ", original_bytes()));
  }
  while (length > 0) {
    const uint64_t index = offset / header_.block_bytes;
    CLM_ASSIGN_OR_RETURN(const std::string raw, DecodeBlock(index, cancel));
    const uint64_t first = offset - index * header_.block_bytes;
    const absl::string_view part = absl::string_view(raw).substr(first, length);
    CLM_RETURN_IF_ERROR(sink(part));
    offset += part.size();
    length -= part.size();
  }
  return absl::OkStatus();
}

}  // namespace clm
