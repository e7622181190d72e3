#include "core/tokenizer/bpe_encoder.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/tokenizer/piece_merger.h"
#include "core/tokenizer/special_finder.h"

namespace clm {
namespace {

constexpr size_t kWindowBytes = size_t{1} << 16;  // text split at a time: bounds the list of ends
// The end of held-back text that may not belong to the piece: a last space and a character that is not complete.
constexpr size_t kTailBytes = 8;
constexpr size_t kMinPieceLimit = size_t{1} << 10;
constexpr size_t kMaxCacheSlots = size_t{1} << 20;

absl::Status PieceTooLong(size_t limit) {
  return absl::ResourceExhaustedError(
      absl::StrCat("one piece of the text (for the tokenizer: a word, a run of spaces or "
                   "symbols) is longer than the limit of ",
                   limit, " bytes"));
}

}  // namespace

// Direct-mapped memory of short pieces: the last one of each hash value stays.
class PieceCache {
 public:
  static constexpr size_t kMaxPieceBytes = 20;
  static constexpr size_t kMaxIds = 10;

  struct Slot {
    std::array<char, kMaxPieceBytes> piece;
    uint8_t length = 0;  // 0: empty
    uint8_t id_count = 0;
    std::array<SymbolId, kMaxIds> ids;
  };
  static_assert(sizeof(Slot) == 64);

  explicit PieceCache(size_t slots) : slots_(slots) {}

  Slot& SlotOf(absl::string_view piece) {
    return slots_[XXH3_64bits(piece.data(), piece.size()) & (slots_.size() - 1)];
  }

  static bool Holds(const Slot& slot, absl::string_view piece) {
    return slot.length == piece.size() && std::memcmp(slot.piece.data(), piece.data(), piece.size()) == 0;
  }

  static void Keep(Slot& slot, absl::string_view piece, std::span<const SymbolId> ids) {
    if (ids.size() > kMaxIds) return;
    std::memcpy(slot.piece.data(), piece.data(), piece.size());
    std::copy(ids.begin(), ids.end(), slot.ids.begin());
    slot.length = static_cast<uint8_t>(piece.size());
    slot.id_count = static_cast<uint8_t>(ids.size());
  }

 private:
  std::vector<Slot> slots_;
};

absl::Status BpeEncoderOptions::Validate() const {
  if (max_piece_bytes < kMinPieceLimit || max_piece_bytes > kMaxBpePieceBytes) {
    return absl::InvalidArgumentError(absl::StrCat("max_piece_bytes is ", max_piece_bytes, "; range [", kMinPieceLimit,
                                                   ", ", kMaxBpePieceBytes, "]"));
  }
  if (cache_slots != 0 && (!std::has_single_bit(cache_slots) || cache_slots > kMaxCacheSlots)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cache_slots is ", cache_slots, "; must be 0 or a power of two up to ", kMaxCacheSlots));
  }
  return absl::OkStatus();
}

BpeEncoder::BpeEncoder(const BpeVocab& vocab, const Pretokenizer& pretokenizer, const BpeEncoderOptions& options)
    : vocab_(vocab), pretokenizer_(pretokenizer), options_(options), merger_(std::make_unique<PieceMerger>(vocab)) {
  CLM_CHECK(options.Validate().ok());
  if (options.allow_special) specials_ = std::make_unique<SpecialFinder>(vocab.specials());
  if (options.cache_slots != 0) cache_ = std::make_unique<PieceCache>(options.cache_slots);
}

BpeEncoder::~BpeEncoder() = default;

absl::Status BpeEncoder::Encode(absl::string_view document, std::vector<SymbolId>& out) {
  Scan scan;
  return Advance(document, /*is_end=*/true, scan, out);
}

absl::Status BpeEncoder::EncodePiece(absl::string_view piece, std::vector<SymbolId>& out) {
  if (piece.size() > options_.max_piece_bytes) return PieceTooLong(options_.max_piece_bytes);
  if (piece.size() <= 1) {
    if (!piece.empty()) out.push_back(vocab_.ByteId(static_cast<uint8_t>(piece[0])));
    return absl::OkStatus();
  }
  if (cache_ == nullptr || piece.size() > PieceCache::kMaxPieceBytes) {
    merger_->Merge(piece, out);
    return absl::OkStatus();
  }
  PieceCache::Slot& slot = cache_->SlotOf(piece);
  if (PieceCache::Holds(slot, piece)) {
    out.insert(out.end(), slot.ids.begin(), slot.ids.begin() + slot.id_count);
    return absl::OkStatus();
  }
  const size_t before = out.size();
  merger_->Merge(piece, out);
  PieceCache::Keep(slot, piece, std::span(out).subspan(before));
  return absl::OkStatus();
}

absl::Status BpeEncoder::Advance(absl::string_view text, bool is_end, Scan& scan, std::vector<SymbolId>& out) {
  const size_t before = out.size();
  absl::Status status;
  while (specials_ != nullptr && status.ok()) {
    const SpecialFinder::Match match = specials_->Find(text, scan.searched, is_end);
    scan.searched = match.position + match.length;
    if (match.length == 0) break;
    status = AdvancePlain(text.substr(0, match.position), /*is_end=*/true, scan, out);
    out.push_back(match.id);
    scan.consumed = scan.searched;
  }
  if (status.ok()) {
    status = AdvancePlain(specials_ == nullptr ? text : text.substr(0, scan.searched), is_end, scan, out);
  }
  if (!status.ok()) out.resize(before);
  return status;
}

absl::Status BpeEncoder::EncodePieces(absl::string_view window, std::vector<SymbolId>& out) {
  size_t begin = 0;
  for (const size_t end : ends_) {
    CLM_RETURN_IF_ERROR(EncodePiece(window.substr(begin, end - begin), out));
    begin = end;
  }
  return absl::OkStatus();
}

absl::Status BpeEncoder::AdvancePlain(absl::string_view text, bool is_end, Scan& scan, std::vector<SymbolId>& out) {
  size_t window_bytes = scan.open + kWindowBytes;
  while (scan.consumed < text.size()) {
    const absl::string_view window = text.substr(scan.consumed, window_bytes);
    const bool reaches_end = scan.consumed + window.size() == text.size();
    ends_.clear();
    scan.open = pretokenizer_.Split(window, is_end && reaches_end, scan.open, ends_);
    CLM_RETURN_IF_ERROR(EncodePieces(window, out));
    const size_t begin = ends_.empty() ? 0 : ends_.back();
    scan.consumed += begin;
    if (window.size() - begin > options_.max_piece_bytes + kTailBytes) return PieceTooLong(options_.max_piece_bytes);
    if (begin == 0 && reaches_end) break;
    window_bytes = begin == 0 ? 2 * window_bytes : scan.open + kWindowBytes;
  }
  return absl::OkStatus();
}

absl::Status StreamingBpeEncoder::Push(absl::string_view bytes, std::vector<SymbolId>& out) {
  // Bytes already encoded go once they are the larger part, so that moving the rest costs no more than adding it did.
  if (scan_.consumed > pending_.size() / 2) {
    pending_.erase(0, scan_.consumed);
    scan_.searched -= std::min(scan_.searched, scan_.consumed);
    scan_.consumed = 0;
  }
  pending_.append(bytes.data(), bytes.size());
  return encoder_.Advance(pending_, /*is_end=*/false, scan_, out);
}

absl::Status StreamingBpeEncoder::Finish(std::vector<SymbolId>& out) {
  CLM_RETURN_IF_ERROR(encoder_.Advance(pending_, /*is_end=*/true, scan_, out));
  Reset();
  return absl::OkStatus();
}

void StreamingBpeEncoder::Reset() {
  pending_ = {};
  scan_ = {};
}

}  // namespace clm
