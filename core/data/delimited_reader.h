// DelimitedReader: a stream cut into pieces at a fixed string, in bounded memory.
//
//   DelimitedReader lines(std::move(input), "\n", /*max_piece_bytes=*/1 << 20);
//   while (true) {
//     CLM_ASSIGN_OR_RETURN(const DelimitedReader::Result result, lines.Next(line));
//     if (result == DelimitedReader::Result::kEnd) break;
//     ...
//
// Pieces do not contain the delimiter. What follows the last delimiter is a piece unless it is empty. A piece longer
// than the limit is passed over without being held in memory and reported as kTooLong. Where the stream's chunks are
// cut does not matter. Cost: linear in the stream.
//
// Thread-safety: not thread-safe. Errors: those of the stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/data/input_stream.h"

namespace clm {

class DelimitedReader {
 public:
  enum class Result : uint8_t { kPiece, kTooLong, kEnd };

  // Requires a delimiter of at least one byte.
  DelimitedReader(std::unique_ptr<InputStream> stream, std::string delimiter, uint64_t max_piece_bytes);

  // Replaces `piece`; empty for kTooLong and kEnd.
  absl::StatusOr<Result> Next(std::string& piece);
  uint64_t stored_bytes_read() const { return stream_->stored_bytes_read(); }

 private:
  // Appends the next chunk to buffer_, or sets ended_.
  absl::Status Fill();

  std::unique_ptr<InputStream> stream_;
  const std::string delimiter_;
  const uint64_t max_piece_bytes_;
  std::string buffer_;
  std::string chunk_;
  size_t begin_ = 0;  // start of the current piece in buffer_
  size_t scan_ = 0;   // no delimiter begins before this position
  bool ended_ = false;
};

}  // namespace clm
