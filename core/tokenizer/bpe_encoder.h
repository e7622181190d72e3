// BpeEncoder: bytes to ids of a BpeVocab, exactly as merging the lowest rank first (leftmost on ties) in every piece of
// the pre-tokenizer gives them; then, with superwords, as merging these in chunks of pieces does (superword_joiner.h).
//
//   EncodeTables tables(vocab);  // once for a vocabulary
//   BpeEncoder encoder(tables, pretokenizer, options);
//   std::vector<SymbolId> ids;
//   CLM_RETURN_IF_ERROR(encoder.Encode(document, ids));  // again and again: the cache of pieces stays warm
//
// The boundary is never emitted. Text that spells a special token is plain bytes unless allow_special is set. Where
// `starts` is given, it gets a flag per id: 1 for an id that begins with the first byte of a piece. Requires then that
// it is as long as `out`.
//
// Thread-safety: one thread per encoder; tables and pre-tokenizer are shared and must outlive it.
// Cost: linear in the bytes (for vocabularies out of order, see TokenAdjacency, O(n log n) in the length of a piece).
// Memory: 40 bytes per cache slot in use and about 300 KiB; 28 bytes per byte of a piece where pieces have to be
// merged. Errors: RESOURCE_EXHAUSTED for a piece over max_piece_bytes; `out` and `starts` are then as they were.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/text/pretokenizer.h"
#include "core/tokenizer/bpe_vocab.h"
#include "core/tokenizer/piece_cache.h"
#include "core/tokenizer/piece_encoder.h"
#include "core/tokenizer/special_finder.h"
#include "core/tokenizer/superword_joiner.h"

namespace clm {

struct BpeEncoderOptions {
  // Text that spells a special token becomes its id (leftmost first, then longest) and ends the piece before it. For
  // text from a trusted author only.
  bool allow_special = false;
  // Pieces longer than this are refused. Price: up to 28 times this much memory while one is encoded. Range [1 KiB,
  // 1 GiB].
  size_t max_piece_bytes = size_t{64} << 20;
  // Pieces remembered with their ids at most, 32 bytes each. A power of two from 2 to 2^22, or 0 for no cache. Memory
  // is taken as texts have different pieces to remember.
  size_t cache_slots = size_t{1} << 20;

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

class BpeEncoder {
 public:
  // Requires valid options.
  BpeEncoder(const EncodeTables& tables, const Pretokenizer& pretokenizer, const BpeEncoderOptions& options);
  ~BpeEncoder();
  BpeEncoder(const BpeEncoder&) = delete;
  BpeEncoder& operator=(const BpeEncoder&) = delete;

  // Appends the ids of a whole document.
  absl::Status Encode(absl::string_view document, std::vector<SymbolId>& out, std::vector<uint8_t>* starts = nullptr);

 private:
  friend class StreamingBpeEncoder;

  // Progress in a text that may grow at its end.
  struct Scan {
    size_t consumed = 0;  // bytes at the front whose ids were appended
    size_t searched = 0;  // bytes at the front where no special begins any more
    SuperwordJoiner::Chunk chunk = {};
  };
  struct Output {
    std::vector<SymbolId>& ids;
    std::vector<uint8_t>* starts;
  };

  // Appends the ids of what `text` settles behind scan.consumed; of all of it when `is_end`.
  absl::Status Advance(absl::string_view text, bool is_end, Scan& scan, const Output& out);
  // The same for text without specials in it.
  absl::Status AdvancePlain(absl::string_view text, bool is_end, Scan& scan, const Output& out);
  // Appends the ids of the pieces of `window` that ends_ names.
  absl::Status EncodePieces(absl::string_view window, const Output& out);
  // The same in two stages.
  absl::Status EncodeAndJoin(absl::string_view window, Scan& scan, const Output& out);
  // Ends the chunk of superwords, where there are any.
  void CloseChunk(Scan& scan, const Output& out);
  // A few pieces, from the one that begins at `begin` on; returns where the last one ends.
  size_t EncodeBatch(absl::string_view window, size_t begin, std::span<const uint32_t> ends, const Output& out);
  size_t EncodeBatchUncached(absl::string_view window, size_t begin, std::span<const uint32_t> ends, const Output& out);
  // Whether the cache grew.
  bool EncodeShort(absl::string_view piece, const ShortPiece& key, const Output& out);
  // Valid until the next call.
  std::span<const SymbolId> IdsOf(absl::string_view piece);
  void Append(std::span<const SymbolId> ids, const Output& out);
  // Moves the ids of the buffer to `out`.
  void Flush(const Output& out);

  const EncodeTables& tables_;
  const Pretokenizer& pretokenizer_;
  BpeEncoderOptions options_;
  std::unique_ptr<SpecialFinder> specials_;  // specials if allowed, cut tokens; null when there are none
  std::unique_ptr<PieceCache> cache_;        // null without slots
  PieceEncoder piece_encoder_;
  std::vector<uint32_t> ends_;
  std::vector<SymbolId> piece_ids_;
  // Ids on their way to the output, and where in them pieces begin if that is asked for.
  std::unique_ptr<SymbolId[]> buffer_;
  size_t buffered_ = 0;
  std::vector<uint32_t> buffered_starts_;
  std::unique_ptr<SuperwordJoiner> joiner_;  // null without superwords
  std::vector<SymbolId> staged_ids_;         // of the first stage
  std::vector<uint8_t> staged_starts_;
};

// A document in pieces; the ids do not depend on the cuts. Holds back the text that the pre-tokenizer has not settled,
// and with superwords the chunk that is not complete: fewer than chunk_bytes more.
// Thread-safety and errors: as BpeEncoder. After an error, only Reset() helps.
class StreamingBpeEncoder {
 public:
  // Requires valid options. Tables and pre-tokenizer must outlive the encoder.
  StreamingBpeEncoder(const EncodeTables& tables, const Pretokenizer& pretokenizer, const BpeEncoderOptions& options)
      : encoder_(tables, pretokenizer, options), max_piece_bytes_(options.max_piece_bytes) {}

  // Appends to `out` the ids that `bytes` settle.
  absl::Status Push(absl::string_view bytes, std::vector<SymbolId>& out, std::vector<uint8_t>* starts = nullptr);
  // End of the document: appends the rest. The encoder is then ready for the next document.
  absl::Status Finish(std::vector<SymbolId>& out, std::vector<uint8_t>* starts = nullptr);
  // Forgets the document.
  void Reset();

  // For whole documents, with the same cache; independent of what was pushed.
  BpeEncoder& whole_documents() { return encoder_; }
  size_t held_back_bytes() const { return unsettled_bytes() + scan_.chunk.bytes; }

 private:
  size_t unsettled_bytes() const { return pending_.size() - scan_.consumed; }

  BpeEncoder encoder_;
  size_t max_piece_bytes_;
  std::string pending_;  // unsettled text behind bytes already encoded
  BpeEncoder::Scan scan_;
  // With fewer bytes held back, a long piece is not looked at again: asking for every few bytes would be quadratic.
  size_t next_look_bytes_ = 0;
};

}  // namespace clm
