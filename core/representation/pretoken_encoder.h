// PretokenEncoder: bytes to a tokenizer's ids, with a flag at the first id of each pretoken. Universes that fold by
// pretokens are learned and applied with these flags.
//
// The ids are those of Tokenizer::Encode, whole or in pieces. The boundary is never emitted; whoever appends it to a
// stream gives it a flag of 1.
//
// Thread-safety: one thread per encoder. Ownership: must not outlive the tokenizer. Memory: the tokenizer's cache of
// pieces (2 MiB), so make one per thread rather than one per document.
// Errors: RESOURCE_EXHAUSTED for a pretoken over BpeEncoderOptions::max_piece_bytes. After an error only Reset() helps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/tokenizer/tokenizer.h"

namespace clm {

struct PretokenizedIds {
  std::vector<SymbolId> ids;
  std::vector<uint8_t> starts;  // parallel to ids; 1 where a pretoken begins

  void Clear() {
    ids.clear();
    starts.clear();
  }
};

class PretokenEncoder {
 public:
  // Requires valid options without allow_special.
  explicit PretokenEncoder(const Tokenizer& tokenizer, const BpeEncoderOptions& options = {});

  // Appends a whole document. Independent of Push and Finish.
  absl::Status Encode(absl::string_view document, PretokenizedIds& out);

  // Appends what `bytes` settle.
  absl::Status Push(absl::string_view bytes, PretokenizedIds& out);
  // End of the document: appends the rest. The encoder is then ready for the next document.
  absl::Status Finish(PretokenizedIds& out);
  // Forgets the document.
  void Reset();

 private:
  // Progress in a text that may grow at its end.
  struct Scan {
    size_t consumed = 0;  // bytes at the front that were appended
    size_t open = 0;      // bytes behind them that the pre-tokenizer need not read again
  };

  absl::Status Advance(absl::string_view text, bool is_end, Scan& scan, PretokenizedIds& out);
  absl::Status AppendPieces(absl::string_view text, PretokenizedIds& out);

  const Pretokenizer& pretokenizer_;
  BpeEncoder encoder_;
  size_t max_piece_bytes_;
  std::vector<size_t> ends_;
  std::string pending_;
  Scan scan_;
};

}  // namespace clm
