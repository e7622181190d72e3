#include "core/codec/adaptive_coder.h"

#include "absl/strings/str_cat.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"
#include "core/codec/canary.h"
#include "core/entropy/binary_coder.h"
#include "core/predict/adaptive_model.h"

namespace clm {
namespace {

constexpr size_t kCancelInterval = 8192;  // bytes, about 10 ms

// Every table size that a block can ask for.
std::string FingerprintOfAllSizes() {
  std::string all = "clm.adaptive_coder.1";
  for (int log2 = 0; log2 <= 24; ++log2) {
    absl::StrAppend(&all, "\n", AdaptiveModel::Fingerprint(AdaptiveModelOptions::ForLength(size_t{1} << log2)));
  }
  return Sha256Hex(all);
}

// The model moves on past `byte`; each bit is what `code` gives for its probability and value.
template <typename Code>
void StepByte(AdaptiveModel& model, uint8_t byte, Code code) {
  for (int shift = 7; shift >= 0; --shift) {
    const int bit = (byte >> shift) & 1;
    code(bit, model.probability());
    model.Update(bit);
  }
}

Canary ComputeCanary() {
  AdaptiveModel model(AdaptiveModelOptions::ForLength(CanaryProbe().size()));
  CanaryHash hash;
  for (char byte : CanaryProbe()) {
    StepByte(model, static_cast<uint8_t>(byte), [&hash](int, uint32_t probability) { hash.Add(probability); });
  }
  return hash.Finish();
}

CodecParameters MakeParameters() {
  CodecParameters parameters;
  parameters.codec = CodecId::kAdaptive;
  parameters.precision_bits = AdaptiveModel::kPrecisionBits;
  parameters.predictor = ShortFingerprintOf(FingerprintOfAllSizes());
  parameters.canary = ComputeCanary();
  return parameters;
}

}  // namespace

AdaptiveCoder::AdaptiveCoder() : parameters_(MakeParameters()) {}

absl::StatusOr<std::string> AdaptiveCoder::Encode(absl::string_view raw, const CancellationToken& cancel) const {
  AdaptiveModel model(AdaptiveModelOptions::ForLength(raw.size()));
  BinaryEncoder encoder;
  encoder.Reserve(raw.size() / 2);
  for (size_t i = 0; i < raw.size(); ++i) {
    if (i % kCancelInterval == 0) CLM_RETURN_IF_ERROR(cancel.Check());
    StepByte(model, static_cast<uint8_t>(raw[i]),
             [&encoder](int bit, uint32_t probability) { encoder.Encode(bit, probability); });
  }
  return encoder.Finish();
}

absl::StatusOr<std::string> AdaptiveCoder::Decode(absl::string_view payload, size_t raw_length,
                                                  const CancellationToken& cancel) const {
  BinaryDecoder decoder(payload);
  AdaptiveModel model(AdaptiveModelOptions::ForLength(raw_length));
  std::string raw;
  raw.reserve(raw_length);
  while (raw.size() < raw_length) {
    if (raw.size() % kCancelInterval == 0) CLM_RETURN_IF_ERROR(cancel.Check());
    uint32_t byte = 0;
    for (int i = 0; i < 8; ++i) {
      const int bit = decoder.Decode(model.probability());
      model.Update(bit);
      byte = byte << 1 | static_cast<uint32_t>(bit);
    }
    raw.push_back(static_cast<char>(static_cast<uint8_t>(byte)));
    if (decoder.PastEnd()) {
      return absl::DataLossError(absl::StrCat("the coded data end after ", raw.size(), " of ", raw_length, " bytes"));
    }
  }
  if (!decoder.Finished()) return absl::DataLossError("the coded data do not end where their last bit does");
  return raw;
}

}  // namespace clm
