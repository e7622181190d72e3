#include "core/representation/coordinate.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/representation/fingerprint.h"
#include "core/representation/token.h"

namespace clm {
namespace {

absl::Status CheckFit(const Tokenizer& tokenizer, const Universe& universe, absl::string_view universe_tokenizer) {
  if (universe_tokenizer != tokenizer.fingerprint()) {
    return absl::FailedPreconditionError(absl::StrCat("the universe was learned with tokenizer '", universe_tokenizer,
                                                      "', this one is '", tokenizer.fingerprint(), "'"));
  }
  if (universe.base_size() != tokenizer.vocab_size()) {
    return absl::FailedPreconditionError(absl::StrCat("the universe has ", universe.base_size(),
                                                      " base symbols, the tokenizer ", tokenizer.vocab_size()));
  }
  if (!universe.IsBoundary(tokenizer.boundary())) {
    return absl::FailedPreconditionError(
        absl::StrCat("the tokenizer's boundary ", tokenizer.boundary(), " is no boundary of the universe"));
  }
  return absl::OkStatus();
}

VocabLayout MakeLayout(const BpeVocab& vocab, const Universe& universe) {
  VocabLayout layout = VocabLayoutOf(vocab);
  for (int layer = 1; layer <= universe.layer_count(); ++layer) {
    const SymbolId begin = universe.FirstId(layer);
    const auto end = begin + static_cast<SymbolId>(universe.Pairs(layer).size());
    layout.ranges.push_back({.meaning = absl::StrCat("coordinate_layer_", layer), .begin = begin, .end = end});
  }
  layout.vocab_size = universe.vocab_size();
  return layout;
}

class CoordinateEncoder final : public StreamingEncoder {
 public:
  CoordinateEncoder(const Tokenizer& tokenizer, const Folder& folder) : encoder_(tokenizer), folder_(folder) {}

  absl::Status Push(absl::string_view bytes, std::vector<SymbolId>& out) override {
    base_.Clear();
    CLM_RETURN_IF_ERROR(encoder_.Push(bytes, base_));
    return folder_.Push(base_.ids, base_.starts, out);
  }

  absl::Status Finish(std::vector<SymbolId>& out) override {
    base_.Clear();
    CLM_RETURN_IF_ERROR(encoder_.Finish(base_));
    CLM_RETURN_IF_ERROR(folder_.Push(base_.ids, base_.starts, out));
    folder_.Finish(out);
    return absl::OkStatus();
  }

 private:
  PretokenEncoder encoder_;
  StreamingFolder folder_;
  PretokenizedIds base_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<CoordinateRepresentation>> CoordinateRepresentation::Create(
    std::shared_ptr<const Tokenizer> tokenizer, const Universe& universe, absl::string_view universe_tokenizer) {
  CLM_RETURN_IF_ERROR(CheckFit(*tokenizer, universe, universe_tokenizer));
  CLM_ASSIGN_OR_RETURN(SymbolByteTable table, SymbolByteTable::Expand(SymbolBytesOf(tokenizer->vocab()), universe));
  return std::unique_ptr<CoordinateRepresentation>(
      new CoordinateRepresentation(std::move(tokenizer), universe, std::move(table)));
}

CoordinateRepresentation::CoordinateRepresentation(std::shared_ptr<const Tokenizer> tokenizer, const Universe& universe,
                                                   SymbolByteTable table)
    : tokenizer_(std::move(tokenizer)),
      folder_(universe),
      table_(std::move(table)),
      layout_(MakeLayout(tokenizer_->vocab(), universe)) {
  const absl::string_view tables[] = {tokenizer_->fingerprint(), universe.content_sha256()};
  fingerprint_ = RepresentationFingerprint("coordinate", tables);
}

std::unique_ptr<PretokenEncoder> CoordinateRepresentation::TakeEncoder() const {
  {
    const absl::MutexLock lock(&mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<PretokenEncoder> encoder = std::move(idle_.back());
      idle_.pop_back();
      return encoder;
    }
  }
  return std::make_unique<PretokenEncoder>(*tokenizer_);
}

void CoordinateRepresentation::GiveEncoder(std::unique_ptr<PretokenEncoder> encoder) const {
  const absl::MutexLock lock(&mutex_);
  idle_.push_back(std::move(encoder));
}

absl::StatusOr<std::vector<SymbolId>> CoordinateRepresentation::Encode(absl::string_view document) const {
  if (!universe().needs_pretoken_starts()) {
    CLM_ASSIGN_OR_RETURN(const std::vector<SymbolId> ids, tokenizer_->Encode(document));
    return folder_.Fold(ids);
  }
  PretokenizedIds base;
  std::unique_ptr<PretokenEncoder> encoder = TakeEncoder();
  const absl::Status encoded = encoder->Encode(document, base);
  GiveEncoder(std::move(encoder));
  CLM_RETURN_IF_ERROR(encoded);
  return folder_.Fold(base.ids, base.starts);
}

absl::StatusOr<std::string> CoordinateRepresentation::Decode(std::span<const SymbolId> symbols) const {
  std::string bytes;
  CLM_RETURN_IF_ERROR(table_.Decode(symbols, /*first_position=*/0, bytes));
  return bytes;
}

std::unique_ptr<StreamingEncoder> CoordinateRepresentation::NewEncoder() const {
  return std::make_unique<CoordinateEncoder>(*tokenizer_, folder_);
}

}  // namespace clm
