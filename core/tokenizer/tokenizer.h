// Tokenizer: a byte-level BPE vocabulary and the pre-tokenizer that goes with it.
//
//   CLM_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::FromFile(files, "tokenizer.json"));
//   CLM_ASSIGN_OR_RETURN(const std::vector<SymbolId> ids, tokenizer->Encode(document));
//   CLM_ASSIGN_OR_RETURN(const std::string bytes, tokenizer->Decode(ids));  // == document, for every byte string
//
// Encode never emits the boundary; text that spells a special token is plain bytes. Decode gives no bytes for specials.
// Ids of a document are the same whether it comes whole or in pieces.
//
// Thread-safety: immutable; every const method may run on any thread. Ownership: shared; streaming encoders and
// decoders must not outlive it. Memory: BpeVocab, plus 2 MiB for each call of Encode that ran at the same time (kept
// for the next).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/base/call_once.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "core/base/file_io.h"
#include "core/base/types.h"
#include "core/text/pretokenizer.h"
#include "core/tokenizer/bpe_decoder.h"
#include "core/tokenizer/bpe_encoder.h"
#include "core/tokenizer/bpe_vocab.h"
#include "core/tokenizer/piece_encoder.h"
#include "core/tokenizer/tokenizer_file.h"

namespace clm {

class Tokenizer {
 public:
  // INVALID_ARGUMENT for a pattern that is not known.
  static absl::StatusOr<std::shared_ptr<const Tokenizer>> Create(BpeVocab vocab, absl::string_view pattern);
  // From tokenizer.json; errors as in tokenizer_file.h.
  static absl::StatusOr<std::shared_ptr<const Tokenizer>> FromJson(absl::string_view json,
                                                                   const TokenizerFileOptions& options = {});
  static absl::StatusOr<std::shared_ptr<const Tokenizer>> FromFile(const FileSystem& files, const std::string& path,
                                                                   const TokenizerFileOptions& options = {});

  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;
  ~Tokenizer();

  absl::StatusOr<std::string> ToJson() const;
  absl::Status ToFile(FileSystem& files, const std::string& path) const;  // atomically

  const BpeVocab& vocab() const { return vocab_; }
  const Pretokenizer& pretokenizer() const { return *pretokenizer_; }
  uint32_t vocab_size() const { return vocab_.size(); }
  SymbolId boundary() const { return vocab_.boundary(); }
  // 64 hex digits over everything that decides ids and bytes: vocabulary and pattern.
  const std::string& fingerprint() const { return fingerprint_; }

  // Ids of a whole document. RESOURCE_EXHAUSTED for a single piece (word) over BpeEncoderOptions::max_piece_bytes.
  absl::StatusOr<std::vector<SymbolId>> Encode(absl::string_view document) const;
  // Bytes of ids. OUT_OF_RANGE naming position, id and vocabulary size.
  absl::StatusOr<std::string> Decode(std::span<const SymbolId> ids) const;

  // What encoders of this tokenizer share. Made at the first call; about 0.1 s for 100,000 tokens.
  const EncodeTables& encode_tables() const;

  // For documents in pieces and for other options, which must be valid.
  std::unique_ptr<StreamingBpeEncoder> NewEncoder(const BpeEncoderOptions& options = {}) const;
  std::unique_ptr<StreamingBpeDecoder> NewDecoder(const BpeDecoderOptions& options = {}) const;

 private:
  Tokenizer(BpeVocab vocab, std::unique_ptr<const Pretokenizer> pretokenizer);

  std::unique_ptr<BpeEncoder> TakeEncoder() const ABSL_LOCKS_EXCLUDED(mutex_);
  void GiveEncoder(std::unique_ptr<BpeEncoder> encoder) const ABSL_LOCKS_EXCLUDED(mutex_);

  const BpeVocab vocab_;
  const std::unique_ptr<const Pretokenizer> pretokenizer_;
  std::string fingerprint_;
  mutable absl::once_flag encode_tables_once_;
  mutable std::unique_ptr<const EncodeTables> encode_tables_;
  mutable absl::Mutex mutex_;
  // Encoders between two calls: their caches of pieces are warm.
  mutable std::vector<std::unique_ptr<BpeEncoder>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace clm
