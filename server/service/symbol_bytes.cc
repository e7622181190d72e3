#include "server/service/symbol_bytes.h"

#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "server/service/error_detail.h"

namespace clm {

static_assert(std::endian::native == std::endian::little, "symbols are copied to and from messages as they are");

uint32_t SymbolWidthBytes(uint32_t vocab_size) { return vocab_size <= 65536 ? 2 : 4; }

void PackSymbols(std::span<const SymbolId> symbols, uint32_t width_bytes, char* out) {
  if (width_bytes == sizeof(SymbolId)) {
    if (!symbols.empty()) std::memcpy(out, symbols.data(), symbols.size_bytes());
    return;
  }
  for (const SymbolId symbol : symbols) {
    const uint16_t narrow = static_cast<uint16_t>(symbol);
    std::memcpy(out, &narrow, sizeof(narrow));
    out += sizeof(narrow);
  }
}

void PackSymbols(std::span<const SymbolId> symbols, uint32_t width_bytes, std::string& out) {
  out.resize(symbols.size() * width_bytes);
  PackSymbols(symbols, width_bytes, out.data());
}

void SymbolUnpacker::Feed(absl::string_view bytes, std::vector<SymbolId>& symbols) {
  while (partial_bytes_ > 0 && !bytes.empty()) {
    FeedByte(bytes.front(), symbols);
    bytes.remove_prefix(1);
  }
  const size_t whole = bytes.size() / width_bytes_;
  const size_t before = symbols.size();
  symbols.resize(before + whole);
  if (width_bytes_ == sizeof(SymbolId)) {
    if (whole > 0) std::memcpy(&symbols[before], bytes.data(), whole * sizeof(SymbolId));
  } else {
    const char* at = bytes.data();
    for (size_t i = 0; i < whole; ++i) {
      uint16_t narrow = 0;
      std::memcpy(&narrow, at + i * sizeof(narrow), sizeof(narrow));
      symbols[before + i] = narrow;
    }
  }
  symbols_ += whole;
  for (const char byte : bytes.substr(whole * width_bytes_)) FeedByte(byte, symbols);
}

void SymbolUnpacker::FeedByte(char byte, std::vector<SymbolId>& symbols) {
  partial_ |= static_cast<SymbolId>(static_cast<uint8_t>(byte)) << (8 * partial_bytes_);
  if (++partial_bytes_ < width_bytes_) return;
  symbols.push_back(partial_);
  partial_ = 0;
  partial_bytes_ = 0;
  ++symbols_;
}

absl::Status SymbolUnpacker::Finish() const {
  if (partial_bytes_ == 0) return absl::OkStatus();
  return InvalidField("symbols", absl::StrCat("the stream ends ", partial_bytes_, " bytes into symbol ", symbols_,
                                              " of ", width_bytes_, " bytes"));
}

}  // namespace clm
