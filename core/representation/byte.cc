#include "core/representation/byte.h"

#include <algorithm>
#include <cstddef>

#include "core/base/status_macros.h"
#include "core/representation/fingerprint.h"

namespace clm {
namespace {

void AppendBytes(absl::string_view bytes, std::vector<SymbolId>& out) {
  const size_t before = out.size();
  out.resize(before + bytes.size());
  std::transform(bytes.begin(), bytes.end(), out.begin() + static_cast<std::ptrdiff_t>(before),
                 [](char byte) { return static_cast<uint8_t>(byte); });
}

class ByteEncoder final : public StreamingEncoder {
 public:
  absl::Status Push(absl::string_view bytes, std::vector<SymbolId>& out) override {
    AppendBytes(bytes, out);
    return absl::OkStatus();
  }
  absl::Status Finish(std::vector<SymbolId>& /*out*/) override { return absl::OkStatus(); }
};

SymbolByteTable MakeTable() {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  std::vector<absl::string_view> tokens;
  for (size_t byte = 0; byte < 256; ++byte) tokens.push_back(absl::string_view(all).substr(byte, 1));
  tokens.emplace_back();
  return SymbolByteTable(tokens);
}

}  // namespace

ByteRepresentation::ByteRepresentation()
    : layout_(
          {.vocab_size = 257,
           .boundary = kBoundary,
           .ranges = {{.meaning = "byte", .begin = 0, .end = 256}, {.meaning = "special", .begin = 256, .end = 257}}}),
      table_(MakeTable()),
      fingerprint_(RepresentationFingerprint("byte", {})) {}

absl::StatusOr<std::vector<SymbolId>> ByteRepresentation::Encode(absl::string_view document) const {
  std::vector<SymbolId> symbols;
  AppendBytes(document, symbols);
  return symbols;
}

absl::StatusOr<std::string> ByteRepresentation::Decode(std::span<const SymbolId> symbols) const {
  std::string bytes;
  CLM_RETURN_IF_ERROR(table_.Decode(symbols, /*first_position=*/0, bytes));
  return bytes;
}

std::unique_ptr<StreamingEncoder> ByteRepresentation::NewEncoder() const { return std::make_unique<ByteEncoder>(); }

}  // namespace clm
