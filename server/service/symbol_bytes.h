// Symbols as they travel: packed little-endian, 2 or 4 bytes each.
//
// Thread-safety: SymbolUnpacker none; the functions are pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"

namespace clm {

// 2 when every symbol of the vocabulary fits, otherwise 4.
uint32_t SymbolWidthBytes(uint32_t vocab_size);

// Writes symbols.size() * width_bytes bytes. Requires a width of 2 or 4 and symbols below 2^(8 * width_bytes).
void PackSymbols(std::span<const SymbolId> symbols, uint32_t width_bytes, char* out);
// The same in place of what `out` holds.
void PackSymbols(std::span<const SymbolId> symbols, uint32_t width_bytes, std::string& out);

// Unpacks bytes that are cut anywhere, also inside a symbol.
class SymbolUnpacker {
 public:
  // Requires width_bytes of 2 or 4.
  explicit SymbolUnpacker(uint32_t width_bytes) : width_bytes_(width_bytes) {}

  // Appends the symbols that `bytes` completes to `symbols`.
  void Feed(absl::string_view bytes, std::vector<SymbolId>& symbols);
  // INVALID_ARGUMENT when the last symbol is not whole.
  absl::Status Finish() const;

  uint64_t symbols() const { return symbols_; }

 private:
  void FeedByte(char byte, std::vector<SymbolId>& symbols);

  const uint32_t width_bytes_;
  SymbolId partial_ = 0;
  uint32_t partial_bytes_ = 0;
  uint64_t symbols_ = 0;
};

}  // namespace clm
