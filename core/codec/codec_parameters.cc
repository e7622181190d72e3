#include "core/codec/codec_parameters.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace clm {
namespace {

template <size_t kSize>
std::string HexOf(const std::array<uint8_t, kSize>& bytes) {
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace

bool IsKnownCodec(uint8_t codec) { return codec <= static_cast<uint8_t>(CodecId::kMixed); }

std::string CodecName(CodecId codec) {
  switch (codec) {
    case CodecId::kStored:
      return "stored";
    case CodecId::kCount:
      return "count";
    case CodecId::kProbability:
      return "probability";
    case CodecId::kAdaptive:
      return "adaptive";
    case CodecId::kRankAns:
      return "rank ans";
    case CodecId::kRankAdaptive:
      return "rank adaptive";
    case CodecId::kMixed:
      return "mixed";
  }
  return absl::StrCat("codec ", static_cast<int>(codec));
}

ShortFingerprint ShortFingerprintOf(absl::string_view hex) {
  const std::string bytes = absl::HexStringToBytes(hex);
  ShortFingerprint fingerprint{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), fingerprint.size()), fingerprint.begin());
  return fingerprint;
}

std::string ToHex(const ShortFingerprint& fingerprint) { return HexOf(fingerprint); }
std::string ToHex(const Canary& canary) { return HexOf(canary); }

}  // namespace clm
