// TokenRepresentation: the ids of a byte-level BPE tokenizer, as they are.
//
// The boundary is the tokenizer's (its end-of-text special). Text that spells a special token is plain bytes.
//
// Thread-safety: as Representation. Lossless. Ownership: shares the tokenizer.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/representation/representation.h"
#include "core/representation/symbol_byte_table.h"
#include "core/tokenizer/tokenizer.h"

namespace clm {

class TokenRepresentation final : public Representation {
 public:
  // Requires a tokenizer.
  explicit TokenRepresentation(std::shared_ptr<const Tokenizer> tokenizer);

  const Tokenizer& tokenizer() const { return *tokenizer_; }

  std::string kind() const override { return "token"; }
  bool lossless() const override { return true; }
  const VocabLayout& layout() const override { return layout_; }
  std::string fingerprint() const override { return fingerprint_; }

  absl::StatusOr<std::vector<SymbolId>> Encode(absl::string_view document) const override;
  absl::StatusOr<std::string> Decode(std::span<const SymbolId> symbols) const override;
  absl::string_view SymbolBytes(SymbolId symbol) const override { return table_[symbol]; }

  std::unique_ptr<StreamingEncoder> NewEncoder() const override;
  std::unique_ptr<StreamingDecoder> NewDecoder() const override { return table_.NewDecoder(); }

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  VocabLayout layout_;
  SymbolByteTable table_;
  std::string fingerprint_;
};

// Bytes and layout of a tokenizer's ids: runs of "byte" (tokens of one byte), "token" and "special".
SymbolByteTable SymbolBytesOf(const BpeVocab& vocab);
VocabLayout VocabLayoutOf(const BpeVocab& vocab);

}  // namespace clm
