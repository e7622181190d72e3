#include "core/codec/mixed_coder.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"
#include "core/codec/codec_set.h"
#include "core/codec/mixed_model.h"
#include "core/entropy/binary_coder.h"

namespace clm {
namespace {

constexpr absl::string_view kMixedForm("\0", 1);
constexpr absl::string_view kAdaptiveForm("\1", 1);

CodecParameters ParametersOf(const CodingModel& model) {
  CodecParameters parameters = model.parameters();
  parameters.codec = CodecId::kMixed;
  parameters.predictor = MixedCoder::PredictorOf(parameters.predictor);
  return parameters;
}

}  // namespace

ShortFingerprint MixedCoder::PredictorOf(const ShortFingerprint& model) {
  return ShortFingerprintOf(
      Sha256Hex(absl::StrCat(kMixedModelVersion, "\n", ToHex(model), "\n",
                             AdaptiveModel::Fingerprint(AdaptiveModelOptions::ForLength(size_t{1} << 20)))));
}

MixedCoder::MixedCoder(std::shared_ptr<const CodingModel> model)
    : model_(std::move(model)),
      tree_(model_->representation(), model_->vocab_size()),
      adaptive_(CodecSet::BuiltInCoder(CodecId::kAdaptive)),
      parameters_(ParametersOf(*model_)) {}

absl::StatusOr<std::string> MixedCoder::Encode(absl::string_view raw, const CancellationToken& cancel) const {
  CLM_ASSIGN_OR_RETURN(const std::string mixed, EncodeMixed(raw, cancel));
  CLM_ASSIGN_OR_RETURN(const std::string adaptive, adaptive_->Encode(raw, cancel));
  return adaptive.size() < mixed.size() ? absl::StrCat(kAdaptiveForm, adaptive) : absl::StrCat(kMixedForm, mixed);
}

absl::StatusOr<std::string> MixedCoder::Decode(absl::string_view payload, size_t raw_length,
                                               const CancellationToken& cancel) const {
  const absl::string_view form = payload.substr(0, 1);
  if (form == kMixedForm) return DecodeMixed(payload.substr(1), raw_length, cancel);
  if (form == kAdaptiveForm) return adaptive_->Decode(payload.substr(1), raw_length, cancel);
  return absl::DataLossError("the coded data begin with no known form");
}

absl::StatusOr<std::string> MixedCoder::EncodeMixed(absl::string_view raw, const CancellationToken& cancel) const {
  CLM_ASSIGN_OR_RETURN(const std::vector<SymbolId> symbols, model_->SymbolsOf(raw));
  for (const SymbolId symbol : symbols) {
    if (tree_.PlaceOf(symbol) == SIZE_MAX) {
      return absl::InternalError(absl::StrCat("the representation gives symbol ", symbol, ", which has no bytes"));
    }
  }
  MixedModel mixed(tree_, model_->vocab_size(), raw.size());
  BinaryEncoder encoder;
  encoder.Reserve(raw.size() / 2);
  size_t next = 0;
  const auto code = [&encoder](int bit, uint32_t probability) {
    encoder.Encode(bit, probability);
    return bit;
  };
  const LaneWork work = {.next = [&](SymbolPredictor& predictor, size_t lane) -> std::optional<SymbolId> {
    if (next == symbols.size()) return std::nullopt;
    return mixed.Step(predictor, lane, symbols[next++], code);
  }};
  CLM_RETURN_IF_ERROR(model_->lanes().Run({&work, 1}, cancel));
  return encoder.Finish();
}

absl::StatusOr<std::string> MixedCoder::DecodeMixed(absl::string_view payload, size_t raw_length,
                                                    const CancellationToken& cancel) const {
  MixedModel mixed(tree_, model_->vocab_size(), raw_length);
  BinaryDecoder decoder(payload);
  std::string raw;
  raw.reserve(raw_length);
  absl::Status status;
  const auto code = [&decoder](int /*bit*/, uint32_t probability) { return decoder.Decode(probability); };
  const LaneWork work = {.next = [&](SymbolPredictor& predictor, size_t lane) -> std::optional<SymbolId> {
    if (raw.size() == raw_length) return std::nullopt;
    const SymbolId symbol = mixed.Step(predictor, lane, std::nullopt, code);
    status = model_->AppendBytes(symbol, raw_length, raw);
    if (status.ok() && decoder.PastEnd()) {
      status = absl::DataLossError(absl::StrCat("the coded data end after ", raw.size(), " of ", raw_length, " bytes"));
    }
    return status.ok() && raw.size() < raw_length ? std::optional(symbol) : std::nullopt;
  }};
  CLM_RETURN_IF_ERROR(model_->lanes().Run({&work, 1}, cancel));
  CLM_RETURN_IF_ERROR(status);
  if (!decoder.Finished()) return absl::DataLossError("the coded data do not end where their last bit does");
  return raw;
}

}  // namespace clm
