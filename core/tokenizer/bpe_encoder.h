// BpeEncoder: bytes to ids of a BpeVocab, exactly as merging the lowest rank first (leftmost on ties) in every piece of
// the pre-tokenizer gives them.
//
//   BpeEncoder encoder(vocab, pretokenizer, options);
//   std::vector<SymbolId> ids;
//   CLM_RETURN_IF_ERROR(encoder.Encode(document, ids));  // again and again: the cache of pieces stays warm
//
// The boundary is never emitted. Text that spells a special token is plain bytes unless allow_special is set.
//
// Thread-safety: one thread per encoder; vocabulary and pre-tokenizer are shared and must outlive it.
// Cost: linear in the bytes; O(n log n) in the length of a single piece, 28 bytes of memory per byte of it.
// Memory: 64 bytes per cache slot and a few buffers of 64 KiB.
// Errors: RESOURCE_EXHAUSTED for a piece over max_piece_bytes; `out` is then as it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/text/pretokenizer.h"
#include "core/tokenizer/bpe_vocab.h"

namespace clm {

struct BpeEncoderOptions {
  // Text that spells a special token becomes its id (leftmost first, then longest) and ends the piece before it. For
  // text from a trusted author only.
  bool allow_special = false;
  // Pieces longer than this are refused. Price: 28 times this much memory while one is encoded. Range [1 KiB, 1 GiB].
  size_t max_piece_bytes = size_t{64} << 20;
  // Pieces remembered with their ids, 64 bytes each. A power of two up to 2^20, or 0 for no cache.
  size_t cache_slots = size_t{1} << 15;

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

class SpecialFinder;
class PieceCache;
class PieceMerger;

class BpeEncoder {
 public:
  // Requires valid options.
  BpeEncoder(const BpeVocab& vocab, const Pretokenizer& pretokenizer, const BpeEncoderOptions& options);
  ~BpeEncoder();
  BpeEncoder(const BpeEncoder&) = delete;
  BpeEncoder& operator=(const BpeEncoder&) = delete;

  // Appends the ids of a whole document.
  absl::Status Encode(absl::string_view document, std::vector<SymbolId>& out);
  // Appends the ids of bytes that are one piece, as they are.
  absl::Status EncodePiece(absl::string_view piece, std::vector<SymbolId>& out);

 private:
  friend class StreamingBpeEncoder;

  // Progress in a text that may grow at its end.
  struct Scan {
    size_t consumed = 0;  // bytes at the front whose ids were appended
    size_t open = 0;      // bytes behind them that the pre-tokenizer need not read again
    size_t searched = 0;  // bytes at the front where no special begins any more
  };

  // Appends the ids of what `text` settles behind scan.consumed; of all of it when `is_end`.
  absl::Status Advance(absl::string_view text, bool is_end, Scan& scan, std::vector<SymbolId>& out);
  // The same for text without specials in it.
  absl::Status AdvancePlain(absl::string_view text, bool is_end, Scan& scan, std::vector<SymbolId>& out);

  // Appends the ids of the pieces of `window` that ends_ names.
  absl::Status EncodePieces(absl::string_view window, std::vector<SymbolId>& out);

  const BpeVocab& vocab_;
  const Pretokenizer& pretokenizer_;
  BpeEncoderOptions options_;
  std::unique_ptr<SpecialFinder> specials_;  // null unless allow_special
  std::unique_ptr<PieceCache> cache_;        // null without slots
  std::unique_ptr<PieceMerger> merger_;
  std::vector<size_t> ends_;
};

// A document in pieces; the ids do not depend on the cuts. Holds back the text that the pre-tokenizer has not settled.
// Thread-safety and errors: as BpeEncoder. After an error, only Reset() helps.
class StreamingBpeEncoder {
 public:
  // Requires valid options. Vocabulary and pre-tokenizer must outlive the encoder.
  StreamingBpeEncoder(const BpeVocab& vocab, const Pretokenizer& pretokenizer, const BpeEncoderOptions& options)
      : encoder_(vocab, pretokenizer, options) {}

  // Appends to `out` the ids that `bytes` settle.
  absl::Status Push(absl::string_view bytes, std::vector<SymbolId>& out);
  // End of the document: appends the rest. The encoder is then ready for the next document.
  absl::Status Finish(std::vector<SymbolId>& out);
  // Forgets the document.
  void Reset();

  size_t held_back_bytes() const { return pending_.size() - scan_.consumed; }

 private:
  BpeEncoder encoder_;
  std::string pending_;  // unsettled text behind bytes already encoded
  BpeEncoder::Scan scan_;
};

}  // namespace clm
