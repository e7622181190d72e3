#include "core/representation/token.h"

#include <utility>

#include "core/base/status_macros.h"
#include "core/representation/fingerprint.h"

namespace clm {
namespace {

class TokenEncoder final : public StreamingEncoder {
 public:
  explicit TokenEncoder(std::unique_ptr<StreamingBpeEncoder> encoder) : encoder_(std::move(encoder)) {}

  absl::Status Push(absl::string_view bytes, std::vector<SymbolId>& out) override { return encoder_->Push(bytes, out); }
  absl::Status Finish(std::vector<SymbolId>& out) override { return encoder_->Finish(out); }

 private:
  std::unique_ptr<StreamingBpeEncoder> encoder_;
};

const char* MeaningOf(const BpeVocab& vocab, SymbolId id) {
  if (vocab.IsSpecial(id)) return "special";
  return vocab.TokenBytes(id).size() == 1 ? "byte" : "token";
}

}  // namespace

SymbolByteTable SymbolBytesOf(const BpeVocab& vocab) {
  std::vector<absl::string_view> tokens;
  tokens.reserve(vocab.size());
  for (SymbolId id = 0; id < vocab.size(); ++id) tokens.push_back(vocab.TokenBytes(id));
  return SymbolByteTable(tokens);
}

VocabLayout VocabLayoutOf(const BpeVocab& vocab) {
  VocabLayout layout = {.vocab_size = vocab.size(), .boundary = vocab.boundary(), .ranges = {}};
  for (SymbolId id = 0; id < vocab.size(); ++id) {
    const char* meaning = MeaningOf(vocab, id);
    if (layout.ranges.empty() || layout.ranges.back().meaning != meaning) {
      layout.ranges.push_back({.meaning = meaning, .begin = id, .end = id});
    }
    layout.ranges.back().end = id + 1;
  }
  return layout;
}

TokenRepresentation::TokenRepresentation(std::shared_ptr<const Tokenizer> tokenizer)
    : tokenizer_(std::move(tokenizer)),
      layout_(VocabLayoutOf(tokenizer_->vocab())),
      table_(SymbolBytesOf(tokenizer_->vocab())) {
  const absl::string_view tables[] = {tokenizer_->fingerprint()};
  fingerprint_ = RepresentationFingerprint("token", tables);
}

absl::StatusOr<std::vector<SymbolId>> TokenRepresentation::Encode(absl::string_view document) const {
  return tokenizer_->Encode(document);
}

absl::StatusOr<std::string> TokenRepresentation::Decode(std::span<const SymbolId> symbols) const {
  std::string bytes;
  CLM_RETURN_IF_ERROR(table_.Decode(symbols, /*first_position=*/0, bytes));
  return bytes;
}

std::unique_ptr<StreamingEncoder> TokenRepresentation::NewEncoder() const {
  return std::make_unique<TokenEncoder>(tokenizer_->NewEncoder());
}

}  // namespace clm
