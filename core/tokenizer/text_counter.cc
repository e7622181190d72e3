#include "core/tokenizer/text_counter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/tokenizer/record_file.h"

namespace clm {
namespace {

constexpr size_t kWindowBytes = size_t{1} << 16;

}  // namespace

absl::Status CheckDistinct(uint64_t bytes, uint64_t limit) {
  if (bytes <= limit) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the different pieces of the training text have more than ", limit, " bytes (max_distinct_bytes)"));
}

absl::Status TextCounter::AddDocument(absl::string_view document, const CancellationToken& cancel) {
  size_t used = 0;
  CLM_RETURN_IF_ERROR(Consume(document, /*is_end=*/true, cancel, used));
  document_bytes_ += document.size();
  return CloseChunk();
}

absl::Status TextCounter::Push(absl::string_view text, const CancellationToken& cancel) {
  is_open_ = true;
  document_bytes_ += text.size();
  size_t used = 0;
  if (pending_.empty()) {
    CLM_RETURN_IF_ERROR(Consume(text, /*is_end=*/false, cancel, used));
    pending_.assign(text.data() + used, text.size() - used);
  } else {
    pending_.append(text.data(), text.size());
    if (pending_.size() < retry_bytes_) return absl::OkStatus();
    CLM_RETURN_IF_ERROR(Consume(pending_, /*is_end=*/false, cancel, used));
    pending_.erase(0, used);
  }
  retry_bytes_ = 2 * pending_.size();
  return clm::CheckDistinct(pending_.size(), options_.max_distinct_bytes);
}

absl::Status TextCounter::Finish(const CancellationToken& cancel) {
  size_t used = 0;
  CLM_RETURN_IF_ERROR(Consume(pending_, /*is_end=*/true, cancel, used));
  pending_.clear();
  is_open_ = false;
  return CloseChunk();
}

absl::Status TextCounter::Consume(absl::string_view text, bool is_end, const CancellationToken& cancel, size_t& used) {
  size_t window_bytes = kWindowBytes;
  for (used = 0; used < text.size();) {
    CLM_RETURN_IF_ERROR(cancel.Check());
    const absl::string_view window = text.substr(used, window_bytes);
    const bool is_last = used + window.size() == text.size();
    ends_.clear();
    options_.pretokenizer->Split(window, is_end && is_last, ends_);
    if (ends_.empty()) {
      if (is_last) return absl::OkStatus();
      CLM_RETURN_IF_ERROR(clm::CheckDistinct(window.size(), options_.max_distinct_bytes));
      window_bytes = std::min<size_t>(2 * window_bytes, UINT32_MAX);
      continue;
    }
    CLM_RETURN_IF_ERROR(AddPieces(window));
    used += ends_.back();
    if (is_last) return absl::OkStatus();
    window_bytes = kWindowBytes;
  }
  return absl::OkStatus();
}

absl::Status TextCounter::AddPieces(absl::string_view window) {
  CLM_RETURN_IF_ERROR(pieces_.AddPieces(window, 0, ends_));
  CLM_RETURN_IF_ERROR(CheckDistinct());
  if (options_.chunk_bytes == 0) return absl::OkStatus();
  size_t begin = 0;
  for (const uint32_t end : ends_) {
    CLM_RETURN_IF_ERROR(AddToChunk(window.substr(begin, end - begin)));
    begin = end;
  }
  return absl::OkStatus();
}

absl::Status TextCounter::AddToChunk(absl::string_view piece) {
  if (chunk_text_bytes_ + piece.size() > options_.chunk_bytes) CLM_RETURN_IF_ERROR(CloseChunk());
  AppendVarint(piece.size(), chunk_);
  chunk_.append(piece.data(), piece.size());
  chunk_text_bytes_ += piece.size();
  return piece.find('\n') == absl::string_view::npos ? absl::OkStatus() : CloseChunk();
}

absl::Status TextCounter::CloseChunk() {
  if (chunk_.empty()) return absl::OkStatus();
  CLM_RETURN_IF_ERROR(chunks_.Add(chunk_, 1));
  chunk_.clear();
  chunk_text_bytes_ = 0;
  return absl::OkStatus();
}

}  // namespace clm
