#include "core/codec/probability_coder.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/codec/canary.h"
#include "core/entropy/cdf.h"
#include "core/entropy/rans.h"

namespace clm {
namespace {

constexpr size_t kCancelInterval = 1024;  // bytes; a model may need milliseconds for each

// One block's walk through the predictor: the distribution of the next byte in cumulative form.
class Walk {
 public:
  explicit Walk(const SymbolPredictor& prototype)
      : predictor_(prototype.Clone()),
        frequencies_(predictor_->vocab_size()),
        cumulative_(size_t{predictor_->vocab_size()} + 1) {
    predictor_->Reset(0);
  }

  absl::Status Predict() {
    predictor_->Frequencies(0, frequencies_);
    CLM_RETURN_IF_ERROR(CheckFrequencies(frequencies_, predictor_->precision_bits()));
    Accumulate(frequencies_, cumulative_);
    return absl::OkStatus();
  }
  SymbolInterval Interval(size_t symbol) const {
    return {.start = cumulative_[symbol], .frequency = frequencies_[symbol]};
  }
  size_t Find(uint32_t slot) const { return FindSymbol(cumulative_, slot); }
  void Update(size_t symbol) { predictor_->Update(0, static_cast<SymbolId>(symbol)); }

 private:
  std::unique_ptr<SymbolPredictor> predictor_;
  std::vector<uint32_t> frequencies_;
  std::vector<uint32_t> cumulative_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const ProbabilityCoder>> ProbabilityCoder::Create(
    std::unique_ptr<SymbolPredictor> prototype) {
  const int precision_bits = prototype->precision_bits();
  if (prototype->vocab_size() < 256 || prototype->lanes() == 0 || precision_bits < 12 ||
      precision_bits > kMaxPrecisionBits) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a predictor of ", prototype->vocab_size(), " symbols (at least 256), ", prototype->lanes(),
        " lanes (at least 1) and ", precision_bits, " bits (12 to ", kMaxPrecisionBits, ") cannot code bytes"));
  }
  CodecParameters parameters;
  parameters.codec = CodecId::kProbability;
  parameters.precision_bits = static_cast<uint8_t>(precision_bits);
  parameters.predictor = ShortFingerprintOf(prototype->fingerprint());
  parameters.canary = CanaryOf(*prototype);
  return std::shared_ptr<const ProbabilityCoder>(new ProbabilityCoder(std::move(prototype), parameters));
}

absl::StatusOr<std::string> ProbabilityCoder::Encode(absl::string_view raw, const CancellationToken& cancel) const {
  Walk walk(*prototype_);
  RansEncoder encoder(parameters_.precision_bits);
  encoder.Reserve(raw.size());
  for (size_t i = 0; i < raw.size(); ++i) {
    if (i % kCancelInterval == 0) CLM_RETURN_IF_ERROR(cancel.Check());
    const auto symbol = static_cast<uint8_t>(raw[i]);
    CLM_RETURN_IF_ERROR(walk.Predict());
    encoder.Add(walk.Interval(symbol));
    walk.Update(symbol);
  }
  return encoder.Finish();
}

absl::StatusOr<std::string> ProbabilityCoder::Decode(absl::string_view payload, size_t raw_length,
                                                     const CancellationToken& cancel) const {
  RansDecoder decoder(payload, parameters_.precision_bits);
  if (!decoder.Start()) return absl::DataLossError("the coded data begin with no valid state");
  Walk walk(*prototype_);
  std::string raw;
  raw.reserve(raw_length);
  while (raw.size() < raw_length) {
    if (raw.size() % kCancelInterval == 0) CLM_RETURN_IF_ERROR(cancel.Check());
    CLM_RETURN_IF_ERROR(walk.Predict());
    const size_t symbol = walk.Find(decoder.Slot());
    if (symbol > 255) {
      return absl::DataLossError(absl::StrCat("the coded data hold symbol ", symbol, " at byte ", raw.size()));
    }
    if (!decoder.Take(walk.Interval(symbol))) {
      return absl::DataLossError(absl::StrCat("the coded data end after ", raw.size(), " of ", raw_length, " bytes"));
    }
    walk.Update(symbol);
    raw.push_back(static_cast<char>(static_cast<uint8_t>(symbol)));
  }
  if (!decoder.Finished()) return absl::DataLossError("the coded data do not end in the initial state");
  return raw;
}

}  // namespace clm
