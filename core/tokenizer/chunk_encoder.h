// ChunkEncoder: chunks and pieces of text (text_counter.h) in the tokens that merges make of them.
//
// Thread-safety: one thread. The vocabulary must outlive it. Memory: a cache of at most 2^16 short pieces, and what
// PieceMerger needs for a long one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/tokenizer/bpe_vocab.h"
#include "core/tokenizer/piece_merger.h"

namespace clm {

class ChunkEncoder {
 public:
  explicit ChunkEncoder(const BpeVocab& vocab) : merger_(vocab) {}

  // Appends the tokens of one piece.
  void EncodePiece(absl::string_view piece, std::vector<SymbolId>& out);
  // Appends the tokens of the pieces of a chunk, as TextCounter counts it. DATA_LOSS when it is none.
  absl::Status EncodeChunk(absl::string_view chunk, std::vector<SymbolId>& out);

 private:
  PieceMerger merger_;
  absl::flat_hash_map<std::string, std::vector<SymbolId>> cache_;
};

}  // namespace clm
