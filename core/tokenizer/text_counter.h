// TextCounter: counts the pieces of documents, and the chunks that superwords are learned from.
//
// A document may come in parts: Push() as often as needed, then Finish(). The text that the pre-tokenizer has not
// settled is held back, so the cuts do not matter.
//
// A chunk is a list of neighbouring pieces of a document. It ends behind the first piece with a line feed in it, before
// a piece with which it would have more than chunk_bytes, and at the end of the document. It is counted as one piece of
// bytes: for each of its pieces the length (varint), then the bytes.
//
// Thread-safety: one thread. Memory: that of its CountStores, and the longest piece of text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"
#include "core/text/pretokenizer.h"
#include "core/tokenizer/count_store.h"

namespace clm {

struct TextCounterOptions {
  const Pretokenizer* pretokenizer = nullptr;  // must outlive the counter
  ScratchFolder* scratch = nullptr;            // null: no limit on memory; must outlive the counter
  size_t limit_bytes = SIZE_MAX;               // of each store
  size_t chunk_bytes = 0;                      // 0: no chunks
  uint64_t max_distinct_bytes = UINT64_MAX;    // of different pieces together, and of one piece
};

// RESOURCE_EXHAUSTED, with the limit, when different pieces have more bytes.
absl::Status CheckDistinct(uint64_t bytes, uint64_t limit);

class TextCounter {
 public:
  explicit TextCounter(const TextCounterOptions& options)
      : options_(options),
        pieces_(options.scratch, options.limit_bytes),
        chunks_(options.scratch, options.limit_bytes) {}

  // A whole document. CANCELLED; RESOURCE_EXHAUSTED over max_distinct_bytes; errors of the scratch files. After an
  // error the counter is useless. Requires that no other document is open.
  absl::Status AddDocument(absl::string_view document, const CancellationToken& cancel);
  // The next part of a document, and its end. Errors as above.
  absl::Status Push(absl::string_view text, const CancellationToken& cancel);
  absl::Status Finish(const CancellationToken& cancel);

  // RESOURCE_EXHAUSTED when the pieces in memory have more than max_distinct_bytes.
  absl::Status CheckDistinct() const {
    return clm::CheckDistinct(pieces_.in_memory().distinct_bytes(), options_.max_distinct_bytes);
  }

  bool is_open() const { return is_open_; }
  // Of all documents, including what is held back.
  uint64_t document_bytes() const { return document_bytes_; }
  CountStore& pieces() { return pieces_; }
  const CountStore& pieces() const { return pieces_; }
  CountStore& chunks() { return chunks_; }
  const CountStore& chunks() const { return chunks_; }

 private:
  // Counts what `text` settles; `used` is how much of it that is.
  absl::Status Consume(absl::string_view text, bool is_end, const CancellationToken& cancel, size_t& used);
  absl::Status AddPieces(absl::string_view window);
  absl::Status AddToChunk(absl::string_view piece);
  absl::Status CloseChunk();

  TextCounterOptions options_;
  CountStore pieces_;
  CountStore chunks_;
  std::vector<uint32_t> ends_;
  std::string pending_;     // text that is not settled
  size_t retry_bytes_ = 0;  // of pending_, when it is worth another look
  std::string chunk_;
  size_t chunk_text_bytes_ = 0;
  bool is_open_ = false;
  uint64_t document_bytes_ = 0;
};

}  // namespace clm
