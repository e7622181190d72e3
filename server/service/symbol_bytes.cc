#include "server/service/symbol_bytes.h"

#include "absl/strings/str_cat.h"
#include "server/service/error_detail.h"

namespace clm {

uint32_t SymbolWidthBytes(uint32_t vocab_size) { return vocab_size <= 65536 ? 2 : 4; }

std::string PackSymbols(std::span<const SymbolId> symbols, uint32_t width_bytes) {
  std::string bytes(symbols.size() * width_bytes, '\0');
  size_t position = 0;
  for (const SymbolId symbol : symbols) {
    for (uint32_t i = 0; i < width_bytes; ++i) bytes[position++] = static_cast<char>((symbol >> (8 * i)) & 0xff);
  }
  return bytes;
}

void SymbolUnpacker::Feed(absl::string_view bytes, std::vector<SymbolId>& symbols) {
  symbols.reserve(symbols.size() + bytes.size() / width_bytes_ + 1);
  for (const char byte : bytes) {
    partial_ |= static_cast<SymbolId>(static_cast<uint8_t>(byte)) << (8 * partial_bytes_);
    if (++partial_bytes_ < width_bytes_) continue;
    symbols.push_back(partial_);
    partial_ = 0;
    partial_bytes_ = 0;
    ++symbols_;
  }
}

absl::Status SymbolUnpacker::Finish() const {
  if (partial_bytes_ == 0) return absl::OkStatus();
  return InvalidField("symbols", absl::StrCat("the stream ends ", partial_bytes_, " bytes into symbol ", symbols_,
                                              " of ", width_bytes_, " bytes"));
}

}  // namespace clm
