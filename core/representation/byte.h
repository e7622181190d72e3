// ByteRepresentation: every byte is a symbol. 256 bytes and the boundary 256.
//
// Thread-safety: as Representation. Lossless.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/representation/representation.h"
#include "core/representation/symbol_byte_table.h"

namespace clm {

class ByteRepresentation final : public Representation {
 public:
  static constexpr SymbolId kBoundary = 256;

  ByteRepresentation();

  std::string kind() const override { return "byte"; }
  bool lossless() const override { return true; }
  const VocabLayout& layout() const override { return layout_; }
  std::string fingerprint() const override { return fingerprint_; }

  absl::StatusOr<std::vector<SymbolId>> Encode(absl::string_view document) const override;
  absl::StatusOr<std::string> Decode(std::span<const SymbolId> symbols) const override;
  absl::string_view SymbolBytes(SymbolId symbol) const override { return table_[symbol]; }

  std::unique_ptr<StreamingEncoder> NewEncoder() const override;
  std::unique_ptr<StreamingDecoder> NewDecoder() const override { return table_.NewDecoder(); }

 private:
  VocabLayout layout_;
  SymbolByteTable table_;
  std::string fingerprint_;
};

}  // namespace clm
