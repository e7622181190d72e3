// FrameReader: any block or range of a frame in a file, without reading the rest.
//
// Create reads header and footer; the offsets there say where each block lies. A block read alone is proven by its two
// checksums, not by the SHA-256 of the whole (FrameDecoder does that).
//
// Errors: as frame_decoder.h. Memory: 8 bytes per block that the file really holds, and one block.
// Thread-safety: immutable after Create; const methods may run on any thread.
// Ownership: the file must outlive the reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file_io.h"
#include "core/codec/codec_set.h"
#include "core/codec/frame.h"

namespace clm {

// Bytes in memory as a file. The bytes must outlive it.
class MemoryFile final : public RandomAccessFile {
 public:
  explicit MemoryFile(absl::string_view data) : data_(data) {}
  uint64_t size_bytes() const override { return data_.size(); }
  absl::Status Read(uint64_t offset, size_t length, std::string& out) const override {
    out = offset < data_.size() ? std::string(data_.substr(offset, length)) : std::string();
    return absl::OkStatus();
  }

 private:
  const absl::string_view data_;
};

// The footer at the end of `file`, checked in itself. DATA_LOSS.
absl::StatusOr<FrameFooter> ReadFrameFooter(const RandomAccessFile& file);

class FrameReader {
 public:
  static absl::StatusOr<FrameReader> Create(const RandomAccessFile& file, const CodecSet& codecs);

  const FrameHeader& header() const { return header_; }
  uint64_t original_bytes() const { return footer_.original_bytes; }
  const Sha256Digest& sha256() const { return footer_.sha256; }
  size_t block_count() const { return footer_.block_offsets.size(); }

  // The raw bytes of one block. OUT_OF_RANGE unless index < block_count().
  absl::StatusOr<std::string> DecodeBlock(size_t index, const CancellationToken& cancel) const;
  // Bytes [offset, offset + length) of the original to `sink`, decoding only the blocks they touch. OUT_OF_RANGE beyond
  // the end.
  absl::Status DecodeRange(uint64_t offset, uint64_t length, const ByteSink& sink,
                           const CancellationToken& cancel) const;

 private:
  FrameReader(const RandomAccessFile& file, const FrameHeader& header, FrameFooter footer,
              std::shared_ptr<const BlockCoder> coder)
      : file_(&file), header_(header), footer_(std::move(footer)), coder_(std::move(coder)) {}

  uint64_t BlockEnd(size_t index) const;

  const RandomAccessFile* file_;
  FrameHeader header_;
  FrameFooter footer_;
  std::shared_ptr<const BlockCoder> coder_;
};

}  // namespace clm
