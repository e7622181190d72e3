// PretokenEncoder: bytes to a tokenizer's ids, with a flag at the first id of each pretoken. Universes that fold by
// pretokens are learned and applied with these flags.
//
// The ids are those of Tokenizer::Encode, whole or in pieces. The boundary is never emitted; whoever appends it to a
// stream gives it a flag of 1.
//
// Thread-safety: one thread per encoder. Ownership: must not outlive the tokenizer. Memory: that of a
// BpeEncoder, so make one per thread rather than one per document.
// Errors: RESOURCE_EXHAUSTED for a pretoken over BpeEncoderOptions::max_piece_bytes. After an error only Reset() helps.
#pragma once

#include <cstdint>
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
  StreamingBpeEncoder encoder_;
};

}  // namespace clm
