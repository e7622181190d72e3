#include "core/codec/coding_model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/codec/canary.h"
#include "core/entropy/cdf.h"
#include "core/representation/byte.h"

namespace clm {
namespace {

constexpr int kLeastPrecisionBits = 12;

CodecParameters ParametersOf(SymbolPredictor& predictor, const Representation& representation, uint32_t window) {
  CodecParameters parameters;
  parameters.precision_bits = static_cast<uint8_t>(predictor.precision_bits());
  parameters.window_symbols = window;
  parameters.predictor = ShortFingerprintOf(predictor.fingerprint());
  if (representation.kind() != "byte") {
    parameters.representation = ShortFingerprintOf(representation.fingerprint());
  }
  parameters.canary = CanaryOf(predictor);
  return parameters;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const CodingModel>> CodingModel::Create(
    std::unique_ptr<SymbolPredictor> predictor, std::shared_ptr<const Representation> representation, uint32_t window) {
  if (!representation->lossless()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the representation ", representation->kind(), " loses bytes: nothing can be coded with it"));
  }
  const VocabLayout& layout = representation->layout();
  const bool boundary_is_last = layout.boundary + 1 == layout.vocab_size;
  const uint32_t needed = std::max<uint32_t>(256, boundary_is_last ? layout.boundary : layout.vocab_size);
  const int precision_bits = predictor->precision_bits();
  if (predictor->vocab_size() < needed || predictor->lanes() == 0 || precision_bits < kLeastPrecisionBits ||
      precision_bits > kMaxPrecisionBits) {
    return absl::InvalidArgumentError(absl::StrCat("a predictor of ", predictor->vocab_size(), " symbols (at least ",
                                                   needed, "), ", predictor->lanes(), " lanes (at least 1) and ",
                                                   precision_bits, " bits (", kLeastPrecisionBits, " to ",
                                                   kMaxPrecisionBits, ") cannot code this representation"));
  }
  return std::shared_ptr<const CodingModel>(new CodingModel(std::move(predictor), std::move(representation), window));
}

absl::StatusOr<std::shared_ptr<const CodingModel>> CodingModel::OfBytes(std::unique_ptr<SymbolPredictor> predictor) {
  return Create(std::move(predictor), std::make_shared<ByteRepresentation>());
}

CodingModel::CodingModel(std::unique_ptr<SymbolPredictor> predictor,
                         std::shared_ptr<const Representation> representation, uint32_t window)
    : representation_(std::move(representation)),
      vocab_size_(predictor->vocab_size()),
      parameters_(ParametersOf(*predictor, *representation_, window)),
      lanes_(std::make_unique<LaneScheduler>(std::move(predictor))) {}

absl::StatusOr<std::vector<SymbolId>> CodingModel::SymbolsOf(absl::string_view raw) const {
  CLM_ASSIGN_OR_RETURN(std::vector<SymbolId> symbols, representation_->Encode(raw));
  for (const SymbolId symbol : symbols) {
    if (symbol >= vocab_size_) {
      return absl::InternalError(absl::StrCat("symbol ", symbol, " is not among the predictor's ", vocab_size_));
    }
  }
  return symbols;
}

absl::Status CodingModel::AppendBytes(SymbolId symbol, size_t raw_length, std::string& raw) const {
  const bool is_known = symbol < representation_->layout().vocab_size;
  const absl::string_view bytes = is_known ? representation_->SymbolBytes(symbol) : absl::string_view();
  if (bytes.empty()) {
    return absl::DataLossError(
        absl::StrCat("the coded data hold symbol ", symbol, ", which has no bytes, at byte ", raw.size()));
  }
  if (bytes.size() > raw_length - raw.size()) {
    return absl::DataLossError(
        absl::StrCat("the coded data hold symbol ", symbol, " at byte ", raw.size(), ", beyond ", raw_length));
  }
  raw.append(bytes.data(), bytes.size());
  return absl::OkStatus();
}

}  // namespace clm
