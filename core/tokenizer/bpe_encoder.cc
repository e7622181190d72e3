#include "core/tokenizer/bpe_encoder.h"

#include <algorithm>
#include <array>
#include <bit>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr size_t kWindowBytes = size_t{1} << 16;  // text split at a time: bounds the list of ends
constexpr size_t kWindowGrowth = 8;               // where one piece is longer than that
// Text behind a piece that may be held back with it until the piece is settled.
constexpr size_t kTailBytes = 64;
constexpr size_t kMinPieceLimit = size_t{1} << 10;
constexpr size_t kMaxCacheSlots = size_t{1} << 22;
constexpr size_t kBatch = 64;  // pieces whose cache lines are fetched together
constexpr size_t kBufferIds = 4096;

absl::Status PieceTooLong(size_t limit) {
  return absl::ResourceExhaustedError(
      absl::StrCat("one piece of the text (for the tokenizer: a word, a run of spaces or "
                   "symbols) is longer than the limit of ",
                   limit, " bytes"));
}

// Finds what is cut out of the text before it is split into pieces; null when that is nothing. Text that spells a
// special hides the cut tokens within it even where it stays text, as in `tokenizers`.
std::unique_ptr<SpecialFinder> MakeFinder(const BpeVocab& vocab, bool allow_special) {
  std::vector<BpeSpecial> wanted;
  for (const SymbolId id : vocab.cut_tokens()) wanted.push_back({id, std::string(vocab.TokenBytes(id))});
  if (wanted.empty() && !allow_special) return nullptr;
  if (!allow_special) return std::make_unique<SpecialFinder>(wanted, vocab.specials());
  wanted.insert(wanted.end(), vocab.specials().begin(), vocab.specials().end());
  return std::make_unique<SpecialFinder>(wanted);
}

}  // namespace

absl::Status BpeEncoderOptions::Validate() const {
  if (max_piece_bytes < kMinPieceLimit || max_piece_bytes > kMaxBpePieceBytes) {
    return absl::InvalidArgumentError(absl::StrCat("max_piece_bytes is ", max_piece_bytes, "; range [", kMinPieceLimit,
                                                   ", ", kMaxBpePieceBytes, "]"));
  }
  if (cache_slots != 0 && (!std::has_single_bit(cache_slots) || cache_slots == 1 || cache_slots > kMaxCacheSlots)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cache_slots is ", cache_slots, "; must be 0 or a power of two from 2 to ", kMaxCacheSlots));
  }
  return absl::OkStatus();
}

BpeEncoder::BpeEncoder(const EncodeTables& tables, const Pretokenizer& pretokenizer, const BpeEncoderOptions& options)
    : tables_(tables),
      pretokenizer_(pretokenizer),
      options_(options),
      specials_(MakeFinder(tables.vocab(), options.allow_special)),
      piece_encoder_(tables),
      buffer_(std::make_unique<SymbolId[]>(kBufferIds)) {
  CLM_CHECK(options.Validate().ok());
  if (tables.superwords() != nullptr) joiner_ = std::make_unique<SuperwordJoiner>(*tables.superwords());
  if (options.cache_slots == 0) return;
  cache_ = std::make_unique<PieceCache>(options.cache_slots);
}

BpeEncoder::~BpeEncoder() = default;

absl::Status BpeEncoder::Encode(absl::string_view document, std::vector<SymbolId>& out, std::vector<uint8_t>* starts) {
  Scan scan;
  return Advance(document, /*is_end=*/true, scan, {out, starts});
}

absl::Status BpeEncoder::Advance(absl::string_view text, bool is_end, Scan& scan, const Output& out) {
  const size_t before = out.ids.size();
  absl::Status status;
  while (specials_ != nullptr && status.ok()) {
    const SpecialFinder::Match match = specials_->Find(text, scan.searched, is_end);
    scan.searched = match.position + match.length;
    if (match.length == 0) break;
    status = AdvancePlain(text.substr(0, match.position), /*is_end=*/true, scan, out);
    CloseChunk(scan, out);
    out.ids.push_back(match.id);
    if (out.starts != nullptr) out.starts->push_back(1);
    scan.consumed = scan.searched;
  }
  if (status.ok()) {
    status = AdvancePlain(specials_ == nullptr ? text : text.substr(0, scan.searched), is_end, scan, out);
  }
  if (is_end) CloseChunk(scan, out);
  if (!status.ok()) {
    out.ids.resize(before);
    if (out.starts != nullptr) out.starts->resize(before);
  }
  return status;
}

absl::Status BpeEncoder::AdvancePlain(absl::string_view text, bool is_end, Scan& scan, const Output& out) {
  size_t window_bytes = kWindowBytes;
  while (scan.consumed < text.size()) {
    const absl::string_view window = text.substr(scan.consumed, window_bytes);
    const bool reaches_end = scan.consumed + window.size() == text.size();
    ends_.clear();
    pretokenizer_.Split(window, is_end && reaches_end, ends_);
    CLM_RETURN_IF_ERROR(joiner_ == nullptr ? EncodePieces(window, out) : EncodeAndJoin(window, scan, out));
    const size_t settled = ends_.empty() ? 0 : ends_.back();
    scan.consumed += settled;
    if (window.size() - settled > options_.max_piece_bytes + kTailBytes) return PieceTooLong(options_.max_piece_bytes);
    if (settled == 0 && reaches_end) break;
    window_bytes = settled == 0 ? kWindowGrowth * window_bytes : kWindowBytes;
  }
  return absl::OkStatus();
}

absl::Status BpeEncoder::EncodeAndJoin(absl::string_view window, Scan& scan, const Output& out) {
  staged_ids_.clear();
  staged_starts_.clear();
  CLM_RETURN_IF_ERROR(EncodePieces(window, {staged_ids_, &staged_starts_}));
  joiner_->Add(window, ends_, staged_ids_, staged_starts_, scan.chunk, {out.ids, out.starts});
  return absl::OkStatus();
}

void BpeEncoder::CloseChunk(Scan& scan, const Output& out) {
  if (joiner_ != nullptr) joiner_->Close(scan.chunk, {out.ids, out.starts});
}

absl::Status BpeEncoder::EncodePieces(absl::string_view window, const Output& out) {
  size_t begin = 0;
  for (size_t i = 0; window.size() > options_.max_piece_bytes && i < ends_.size(); ++i) {
    if (ends_[i] - begin > options_.max_piece_bytes) return PieceTooLong(options_.max_piece_bytes);
    begin = ends_[i];
  }
  begin = 0;
  for (size_t i = 0; i < ends_.size(); i += kBatch) {
    const std::span<const uint32_t> batch = std::span(ends_).subspan(i, std::min(kBatch, ends_.size() - i));
    begin = cache_ != nullptr ? EncodeBatch(window, begin, batch, out) : EncodeBatchUncached(window, begin, batch, out);
  }
  Flush(out);
  return absl::OkStatus();
}

size_t BpeEncoder::EncodeBatch(absl::string_view window, size_t begin, std::span<const uint32_t> ends,
                               const Output& out) {
  if (buffered_ + kBatch * PieceCache::kInlineIds > kBufferIds) Flush(out);
  PieceCache::View cache = cache_->view();
  std::array<ShortPiece, kBatch> keys;
  std::array<const PieceCache::Bucket*, kBatch> buckets;
  size_t piece_begin = begin;
  for (size_t i = 0; i < ends.size(); ++i) {
    const size_t length = ends[i] - piece_begin;
    if (length <= ShortPiece::kMaxBytes) {
      keys[i] = ShortPiece::Of(window.data() + piece_begin, length, window.size() - piece_begin >= 16);
      buckets[i] = cache.BucketOf(keys[i]);
    }
    piece_begin = ends[i];
  }
  SymbolId* next = buffer_.get() + buffered_;
  const bool wants_starts = out.starts != nullptr;
  for (size_t i = 0; i < ends.size(); ++i) {
    const absl::string_view piece = window.substr(begin, ends[i] - begin);
    begin = ends[i];
    if (wants_starts) buffered_starts_.push_back(static_cast<uint32_t>(next - buffer_.get()));
    const bool is_short = piece.size() <= ShortPiece::kMaxBytes;
    const size_t found = is_short ? PieceCache::View::Find(keys[i], buckets[i], next) : 0;
    if (found - 1 < PieceCache::kInlineIds) {
      next += found;
      continue;
    }
    buffered_ = static_cast<size_t>(next - buffer_.get());
    std::span<const SymbolId> elsewhere;
    if (found == PieceCache::kElsewhere) elsewhere = cache_->FindElsewhere(buckets[i], keys[i]);
    if (!is_short) elsewhere = IdsOf(piece);
    if (!elsewhere.empty()) {
      Append(elsewhere, out);
    } else if (EncodeShort(piece, keys[i], out)) {
      cache = cache_->view();
      for (size_t j = i + 1; j < ends.size(); ++j) buckets[j] = cache.BucketOf(keys[j]);
    }
    next = buffer_.get() + buffered_;
  }
  buffered_ = static_cast<size_t>(next - buffer_.get());
  return begin;
}

size_t BpeEncoder::EncodeBatchUncached(absl::string_view window, size_t begin, std::span<const uint32_t> ends,
                                       const Output& out) {
  if (buffered_ + kBatch * PieceCache::kInlineIds > kBufferIds) Flush(out);
  std::array<ShortPiece, kBatch> keys;
  size_t piece_begin = begin;
  for (size_t i = 0; i < ends.size(); ++i) {
    const size_t length = ends[i] - piece_begin;
    if (length <= ShortPiece::kMaxBytes) {
      keys[i] = ShortPiece::Of(window.data() + piece_begin, length, window.size() - piece_begin >= 16);
      tables_.PrefetchShortToken(keys[i]);
    }
    piece_begin = ends[i];
  }
  for (size_t i = 0; i < ends.size(); ++i) {
    const absl::string_view piece = window.substr(begin, ends[i] - begin);
    begin = ends[i];
    if (out.starts != nullptr) buffered_starts_.push_back(static_cast<uint32_t>(buffered_));
    if (piece.size() > ShortPiece::kMaxBytes) {
      Append(IdsOf(piece), out);
    } else {
      EncodeShort(piece, keys[i], out);
    }
  }
  return begin;
}

bool BpeEncoder::EncodeShort(absl::string_view piece, const ShortPiece& key, const Output& out) {
  // With a cache few pieces come here, and few of them are tokens: looking for one first would not pay.
  const SymbolId token = cache_ == nullptr ? tables_.ShortToken(key) : kNoToken;
  if (token != kNoToken) {
    buffer_[buffered_++] = token;
    return false;
  }
  piece_ids_.clear();
  piece_encoder_.Encode(piece, piece_ids_);
  Append(piece_ids_, out);
  return cache_ != nullptr && cache_->Keep(key, piece_ids_);
}

std::span<const SymbolId> BpeEncoder::IdsOf(absl::string_view piece) {
  const bool cached = cache_ != nullptr && piece.size() <= PieceCache::kMaxPieceBytes;
  if (cached) {
    const std::span<const SymbolId> known = cache_->Find(piece);
    if (!known.empty()) return known;
  }
  piece_ids_.clear();
  piece_encoder_.Encode(piece, piece_ids_);
  if (cached) cache_->Keep(piece, piece_ids_);
  return piece_ids_;
}

void BpeEncoder::Append(std::span<const SymbolId> ids, const Output& out) {
  while (!ids.empty()) {
    // Room must remain for what is left of the batch.
    if (buffered_ + kBatch * PieceCache::kInlineIds >= kBufferIds) Flush(out);
    const size_t count = std::min(ids.size(), kBufferIds - kBatch * PieceCache::kInlineIds - buffered_);
    std::copy_n(ids.begin(), count, buffer_.get() + buffered_);
    buffered_ += count;
    ids = ids.subspan(count);
  }
}

void BpeEncoder::Flush(const Output& out) {
  const size_t count = buffered_;
  out.ids.insert(out.ids.end(), buffer_.get(), buffer_.get() + count);
  buffered_ = 0;
  if (out.starts == nullptr) return;
  out.starts->resize(out.ids.size(), 0);
  uint8_t* flags = out.starts->data() + (out.ids.size() - count);
  bool open = false;  // the piece in work begins with the ids to come
  for (const uint32_t start : buffered_starts_) {
    open = start == count;
    if (!open) flags[start] = 1;
  }
  buffered_starts_.clear();
  if (open) buffered_starts_.push_back(0);
}

absl::Status StreamingBpeEncoder::Push(absl::string_view bytes, std::vector<SymbolId>& out,
                                       std::vector<uint8_t>* starts) {
  // Bytes already encoded go once they are the larger part, so that moving the rest costs no more than adding it did.
  if (scan_.consumed > pending_.size() / 2) {
    pending_.erase(0, scan_.consumed);
    scan_.searched -= std::min(scan_.searched, scan_.consumed);
    scan_.consumed = 0;
  }
  pending_.append(bytes.data(), bytes.size());
  if (unsettled_bytes() < next_look_bytes_) return absl::OkStatus();
  CLM_RETURN_IF_ERROR(encoder_.Advance(pending_, /*is_end=*/false, scan_, {out, starts}));
  next_look_bytes_ = std::min(2 * unsettled_bytes(), max_piece_bytes_ + kTailBytes + 1);
  return absl::OkStatus();
}

absl::Status StreamingBpeEncoder::Finish(std::vector<SymbolId>& out, std::vector<uint8_t>* starts) {
  CLM_RETURN_IF_ERROR(encoder_.Advance(pending_, /*is_end=*/true, scan_, {out, starts}));
  Reset();
  return absl::OkStatus();
}

void StreamingBpeEncoder::Reset() {
  pending_ = {};
  scan_ = {};
  next_look_bytes_ = 0;
}

}  // namespace clm
