#include "core/representation/pretoken_encoder.h"

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

// Text given to the pre-tokenizer at once, so that the list of ends stays small.
constexpr size_t kWindowBytes = size_t{64} << 10;

}  // namespace

PretokenEncoder::PretokenEncoder(const Tokenizer& tokenizer, const BpeEncoderOptions& options)
    : pretokenizer_(tokenizer.pretokenizer()),
      encoder_(tokenizer.vocab(), tokenizer.pretokenizer(), options),
      max_piece_bytes_(options.max_piece_bytes) {
  CLM_CHECK(!options.allow_special);
}

absl::Status PretokenEncoder::AppendPieces(absl::string_view text, PretokenizedIds& out) {
  size_t begin = 0;
  for (const size_t end : ends_) {
    const size_t first = out.ids.size();
    CLM_RETURN_IF_ERROR(encoder_.EncodePiece(text.substr(begin, end - begin), out.ids));
    out.starts.resize(out.ids.size(), 0);
    if (first < out.starts.size()) out.starts[first] = 1;
    begin = end;
  }
  return absl::OkStatus();
}

absl::Status PretokenEncoder::Advance(absl::string_view text, bool is_end, Scan& scan, PretokenizedIds& out) {
  size_t window_bytes = scan.open + kWindowBytes;
  while (scan.consumed < text.size()) {
    const absl::string_view window = text.substr(scan.consumed, window_bytes);
    const bool reaches_end = scan.consumed + window.size() == text.size();
    ends_.clear();
    scan.open = pretokenizer_.Split(window, is_end && reaches_end, scan.open, ends_);
    CLM_RETURN_IF_ERROR(AppendPieces(window, out));
    const size_t settled = ends_.empty() ? 0 : ends_.back();
    scan.consumed += settled;
    // A piece that is still open may end a few bytes earlier than the text does.
    if (window.size() - settled > max_piece_bytes_ + kWindowBytes) {
      return absl::ResourceExhaustedError(absl::StrCat("a pretoken is longer than ", max_piece_bytes_, " bytes"));
    }
    if (settled == 0 && reaches_end) break;
    window_bytes = settled == 0 ? 2 * window_bytes : scan.open + kWindowBytes;
  }
  return absl::OkStatus();
}

absl::Status PretokenEncoder::Encode(absl::string_view document, PretokenizedIds& out) {
  Scan scan;
  return Advance(document, /*is_end=*/true, scan, out);
}

absl::Status PretokenEncoder::Push(absl::string_view bytes, PretokenizedIds& out) {
  // What is consumed goes once it is the larger part, so that moving the rest costs no more than adding it did.
  if (scan_.consumed > pending_.size() / 2) {
    pending_.erase(0, scan_.consumed);
    scan_.consumed = 0;
  }
  pending_.append(bytes.data(), bytes.size());
  return Advance(pending_, /*is_end=*/false, scan_, out);
}

absl::Status PretokenEncoder::Finish(PretokenizedIds& out) {
  CLM_RETURN_IF_ERROR(Advance(pending_, /*is_end=*/true, scan_, out));
  Reset();
  return absl::OkStatus();
}

void PretokenEncoder::Reset() {
  pending_.clear();
  scan_ = {};
}

}  // namespace clm
