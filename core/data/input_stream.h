// InputStream: the content of one input file from front to back, decompressed on the way.
//
// The kind follows from the name: `.gz` (RFC 1952, any number of members, zero padding after the last), `.zst`
// (RFC 8878, any number of frames), otherwise the file as it is. Memory: two chunks and the decompressor's window (at
// most 128 MiB for zstd; a frame that wants more is refused).
//
// Errors: DATA_LOSS naming the file when compressed data are damaged or end early; otherwise those of FileSystem.
// Thread-safety: not thread-safe. The FileSystem must outlive the stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file_io.h"

namespace clm {

class InputStream {
 public:
  static constexpr size_t kChunkBytes = size_t{256} << 10;

  virtual ~InputStream() = default;
  // Replaces `out` by the next bytes, at most kChunkBytes; empty only at the end.
  virtual absl::Status Read(std::string& out) = 0;
  // Bytes of the stored file taken so far, before decompression.
  virtual uint64_t stored_bytes_read() const = 0;
};

absl::StatusOr<std::unique_ptr<InputStream>> OpenInput(const FileSystem& files, const std::string& path);

// `path` without `.gz` or `.zst`.
absl::string_view WithoutCompressionSuffix(absl::string_view path);

}  // namespace clm
