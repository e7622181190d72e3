// BpeTrainer: learns the merges of a byte-level BPE from documents.
//
// The rule: while the vocabulary has room, join the pair of adjacent tokens with the highest count, of equals the one
// with the lowest left id, then the lowest right id; stop when no pair counts min_pair_count. A count is the number of
// places in all pieces where the pair stands (in `aaaa`, `a a` stands three times). Merging works from left to right.
//
// Pieces are counted once per different piece, so memory grows with different text, not with text. Thread-safety: one
// thread per trainer; to count on several threads, give each its own trainer and Absorb() them. Determinism: the result
// depends on the multiset of documents and the options only, on every platform with the same Unicode classes
// (core/text/utf8.h). Cost: linear in the text, then about linear in the different pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"
#include "core/base/progress.h"
#include "core/text/pretokenizer.h"
#include "core/tokenizer/bpe_vocab.h"

namespace clm {

struct BpeTrainerOptions {
  // Entries in all: 256 bytes, merges, specials. Fewer when the text dries up. Range [256 + specials,
  // kMaxBpeVocabSize].
  uint32_t vocab_size = 4096;
  // Pairs that stand in fewer places are not joined. Range [1, 2^62].
  uint64_t min_pair_count = 2;
  // Pairs that would make a longer token are not joined. Range [2, 65536].
  size_t max_token_bytes = 1024;
  // As in core/text/pretokenizer.h.
  std::string pattern{kGpt2Pattern.data(), kGpt2Pattern.size()};
  // Take the last ids, in this order. The first one is the boundary. At least one.
  std::vector<std::string> special_tokens = {"<|endoftext|>"};
  // Sum of the lengths of different pieces. Price: about 60 bytes of memory each. Range [1, 2^31].
  size_t max_distinct_bytes = size_t{1} << 30;

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

class BpeTrainer {
 public:
  static absl::StatusOr<BpeTrainer> Create(const BpeTrainerOptions& options);

  BpeTrainer(BpeTrainer&&) = default;
  BpeTrainer& operator=(BpeTrainer&&) = default;

  // Counts a document. RESOURCE_EXHAUSTED over max_distinct_bytes; CANCELLED; the trainer is then useless.
  absl::Status AddDocument(absl::string_view document, const CancellationToken& cancel = {});
  // Adds what `other` counted, as if its documents had come here. Requires the same pattern.
  absl::Status Absorb(const BpeTrainer& other);

  uint64_t document_bytes() const { return document_bytes_; }

  // Learns from what was counted; may be called again after more documents. INVALID_ARGUMENT when no document had any
  // bytes; CANCELLED. Progress: phase "train_tokenizer", unit "tokens", at most one report per 64 merges.
  absl::StatusOr<BpeVocab> Train(const CancellationToken& cancel = {}, const ProgressSink& progress = {}) const;

 private:
  explicit BpeTrainer(const BpeTrainerOptions& options) : options_(options) {}

  // The pieces of `window` that end at `ends`, once each.
  absl::Status AddPieces(absl::string_view window, std::span<const size_t> ends);
  absl::Status AddPiece(absl::string_view piece, uint64_t count);

  BpeTrainerOptions options_;
  std::unique_ptr<const Pretokenizer> pretokenizer_;
  absl::flat_hash_map<std::string, uint64_t> pieces_;  // different pieces and how often each occurred
  size_t distinct_bytes_ = 0;
  uint64_t document_bytes_ = 0;
};

}  // namespace clm
