#include "core/codec/count_coder.h"

#include "absl/strings/str_cat.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"
#include "core/codec/canary.h"
#include "core/entropy/rans.h"
#include "core/predict/count_model.h"

namespace clm {
namespace {

constexpr size_t kCancelInterval = 16384;  // bytes, about 10 ms

// Every table size that a block can ask for.
std::string FingerprintOfAllSizes() {
  std::string all = "clm.count_coder.1";
  for (int log2 = 0; log2 <= 24; ++log2) {
    const size_t bytes = size_t{1} << log2;
    absl::StrAppend(&all, "\n",
                    CountModel::Fingerprint(CountModelOptions::ForLength(bytes, CountCoder::kPrecisionBits)));
  }
  return Sha256Hex(all);
}

Canary ComputeCanary() {
  CountModel model(CountModelOptions::ForLength(CanaryProbe().size(), CountCoder::kPrecisionBits));
  CanaryHash hash;
  for (char byte : CanaryProbe()) {
    const SymbolInterval interval = model.EncodeStep(static_cast<uint8_t>(byte));
    hash.Add(interval.start);
    hash.Add(interval.frequency);
  }
  return hash.Finish();
}

CodecParameters MakeParameters() {
  CodecParameters parameters;
  parameters.codec = CodecId::kCount;
  parameters.precision_bits = CountCoder::kPrecisionBits;
  parameters.predictor = ShortFingerprintOf(FingerprintOfAllSizes());
  parameters.canary = ComputeCanary();
  return parameters;
}

}  // namespace

CountCoder::CountCoder() : parameters_(MakeParameters()) {}

absl::StatusOr<std::string> CountCoder::Encode(absl::string_view raw, const CancellationToken& cancel) const {
  CountModel model(CountModelOptions::ForLength(raw.size(), kPrecisionBits));
  RansEncoder encoder(kPrecisionBits);
  encoder.Reserve(raw.size());
  for (size_t i = 0; i < raw.size(); ++i) {
    if (i % kCancelInterval == 0) CLM_RETURN_IF_ERROR(cancel.Check());
    encoder.Add(model.EncodeStep(static_cast<uint8_t>(raw[i])));
  }
  return encoder.Finish();
}

absl::StatusOr<std::string> CountCoder::Decode(absl::string_view payload, size_t raw_length,
                                               const CancellationToken& cancel) const {
  RansDecoder decoder(payload, kPrecisionBits);
  if (!decoder.Start()) return absl::DataLossError("the coded data begin with no valid state");
  CountModel model(CountModelOptions::ForLength(raw_length, kPrecisionBits));
  std::string raw;
  raw.reserve(raw_length);
  while (raw.size() < raw_length) {
    if (raw.size() % kCancelInterval == 0) CLM_RETURN_IF_ERROR(cancel.Check());
    SymbolInterval interval;
    raw.push_back(static_cast<char>(model.DecodeStep(decoder.Slot(), interval)));
    if (!decoder.Take(interval)) {
      return absl::DataLossError(absl::StrCat("the coded data end after ", raw.size(), " of ", raw_length, " bytes"));
    }
  }
  if (!decoder.Finished()) return absl::DataLossError("the coded data do not end in the initial state");
  return raw;
}

}  // namespace clm
