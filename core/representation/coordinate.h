// CoordinateRepresentation: a tokenizer's ids folded by a universe.
//
// Ids below the tokenizer's vocabulary size are its tokens, the rest are coordinates. The boundary is the tokenizer's
// and takes part in no coordinate.
//
// Thread-safety: as Representation. Lossless, whatever the universe. Ownership: shares the tokenizer and the universe.
// Memory: the tables of Folder, and the bytes of every symbol (at most kMaxSymbolBytesTotal).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/coordinate/folder.h"
#include "core/coordinate/universe.h"
#include "core/representation/pretoken_encoder.h"
#include "core/representation/representation.h"
#include "core/representation/symbol_byte_table.h"
#include "core/tokenizer/tokenizer.h"

namespace clm {

class CoordinateRepresentation final : public Representation {
 public:
  // `universe_tokenizer` is the fingerprint of the tokenizer the universe was learned with, as its file names it.
  // FAILED_PRECONDITION if that is not this tokenizer, or if sizes or boundaries say that it cannot be;
  // RESOURCE_EXHAUSTED if the symbols stand for too many bytes. Requires a tokenizer.
  static absl::StatusOr<std::unique_ptr<CoordinateRepresentation>> Create(std::shared_ptr<const Tokenizer> tokenizer,
                                                                          const Universe& universe,
                                                                          absl::string_view universe_tokenizer);

  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const Universe& universe() const { return folder_.universe(); }

  std::string kind() const override { return "coordinate"; }
  bool lossless() const override { return true; }
  const VocabLayout& layout() const override { return layout_; }
  std::string fingerprint() const override { return fingerprint_; }

  absl::StatusOr<std::vector<SymbolId>> Encode(absl::string_view document) const override;
  absl::StatusOr<std::string> Decode(std::span<const SymbolId> symbols) const override;
  absl::string_view SymbolBytes(SymbolId symbol) const override { return table_[symbol]; }

  std::unique_ptr<StreamingEncoder> NewEncoder() const override;
  std::unique_ptr<StreamingDecoder> NewDecoder() const override { return table_.NewDecoder(); }

 private:
  CoordinateRepresentation(std::shared_ptr<const Tokenizer> tokenizer, const Universe& universe, SymbolByteTable table);

  std::unique_ptr<PretokenEncoder> TakeEncoder() const ABSL_LOCKS_EXCLUDED(mutex_);
  void GiveEncoder(std::unique_ptr<PretokenEncoder> encoder) const ABSL_LOCKS_EXCLUDED(mutex_);

  const std::shared_ptr<const Tokenizer> tokenizer_;
  const Folder folder_;
  const SymbolByteTable table_;
  VocabLayout layout_;
  std::string fingerprint_;

  mutable absl::Mutex mutex_;
  // Encoders between two calls: their caches of pieces are warm.
  mutable std::vector<std::unique_ptr<PretokenEncoder>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace clm
