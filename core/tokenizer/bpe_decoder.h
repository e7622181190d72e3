// Ids of a BpeVocab back to bytes: a table look-up per id.
//
// Thread-safety: functions of an immutable vocabulary; a StreamingBpeDecoder belongs to one thread and must not outlive
// its vocabulary. Cost: linear in ids and bytes.
// Errors: OUT_OF_RANGE naming position, id and vocabulary size; `out` is then as it was.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/tokenizer/bpe_vocab.h"

namespace clm {

struct BpeDecoderOptions {
  // Specials contribute their spelling instead of nothing. For showing to people; the bytes of a document never hold
  // one.
  bool spell_specials = false;
};

// Number of bytes `ids` decode to, without decoding them.
absl::StatusOr<uint64_t> BpeDecodedBytes(const BpeVocab& vocab, std::span<const SymbolId> ids,
                                         const BpeDecoderOptions& options = {});

// Appends the bytes of `ids` to `out`.
absl::Status BpeDecode(const BpeVocab& vocab, std::span<const SymbolId> ids, std::string& out,
                       const BpeDecoderOptions& options = {});

// The same for ids that come in pieces: positions in errors count from the start of the document.
class StreamingBpeDecoder {
 public:
  explicit StreamingBpeDecoder(const BpeVocab& vocab, const BpeDecoderOptions& options = {})
      : vocab_(vocab), options_(options) {}

  absl::Status Push(std::span<const SymbolId> ids, std::string& out);
  // End of the document: the next position is 0.
  void Finish() { position_ = 0; }

 private:
  const BpeVocab& vocab_;
  BpeDecoderOptions options_;
  uint64_t position_ = 0;
};

}  // namespace clm
