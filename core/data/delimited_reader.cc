#include "core/data/delimited_reader.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace clm {

DelimitedReader::DelimitedReader(std::unique_ptr<InputStream> stream, std::string delimiter, uint64_t max_piece_bytes)
    : stream_(std::move(stream)), delimiter_(std::move(delimiter)), max_piece_bytes_(max_piece_bytes) {
  CLM_CHECK(!delimiter_.empty());
}

absl::Status DelimitedReader::Fill() {
  CLM_RETURN_IF_ERROR(stream_->Read(chunk_));
  if (chunk_.empty()) {
    ended_ = true;
    return absl::OkStatus();
  }
  // The part already handed out goes before the buffer grows, so each byte moves at most once per chunk.
  buffer_.erase(0, begin_);
  scan_ -= begin_;
  begin_ = 0;
  buffer_ += chunk_;
  return absl::OkStatus();
}

absl::StatusOr<DelimitedReader::Result> DelimitedReader::Next(std::string& piece) {
  piece.clear();
  bool too_long = false;
  while (true) {
    const size_t found = buffer_.find(delimiter_, scan_);
    if (found != std::string::npos || ended_) {
      const size_t end = found != std::string::npos ? found : buffer_.size();
      if (found == std::string::npos && end == begin_ && !too_long) return Result::kEnd;
      too_long = too_long || end - begin_ > max_piece_bytes_;
      if (!too_long) piece.assign(buffer_, begin_, end - begin_);
      begin_ = found != std::string::npos ? found + delimiter_.size() : end;
      scan_ = begin_;
      return too_long ? Result::kTooLong : Result::kPiece;
    }
    // A delimiter may have begun in the last bytes.
    const size_t tail = std::min(buffer_.size() - begin_, delimiter_.size() - 1);
    scan_ = buffer_.size() - tail;
    if (too_long || scan_ - begin_ > max_piece_bytes_) {
      too_long = true;
      begin_ = scan_;
    }
    CLM_RETURN_IF_ERROR(Fill());
  }
}

}  // namespace clm
