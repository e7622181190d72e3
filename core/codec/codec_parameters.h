// What a frame's header says about how its blocks are coded: everything a decoder must share with the encoder.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace clm {

// Stored in frames: numbers are never reused. 7 to 15 are kept for further predictors.
enum class CodecId : uint8_t {
  kStored = 0,        // the bytes themselves
  kCount = 1,         // the built-in CountModel, made anew for each block
  kProbability = 2,   // a model's distributions, the model named by its fingerprint
  kAdaptive = 3,      // the built-in AdaptiveModel, made anew for each block
  kRankAns = 4,       // ranks that a model gives, one table of counts per block
  kRankAdaptive = 5,  // the same with counts that follow the text
  kMixed = 6,         // a model and the AdaptiveModel, mixed bit by bit
};

// "stored", "count", "probability", "adaptive", "rank ans", "rank adaptive", "mixed"; "codec 7" for an id this version
// does not know.
std::string CodecName(CodecId codec);
bool IsKnownCodec(uint8_t codec);

// The first 16 bytes of a SHA-256; zeros where there is nothing to name.
using ShortFingerprint = std::array<uint8_t, 16>;
using Canary = std::array<uint8_t, 8>;

struct CodecParameters {
  CodecId codec = CodecId::kStored;
  uint8_t precision_bits = 0;         // P of the entropy coder; 0 when stored
  uint8_t boundary_policy = 0;        // 0: a block starts from the predictor's initial state
  uint32_t window_symbols = 0;        // 0: no limit other than the block
  uint32_t top_k = 0;                 // rank coders only; 0 otherwise
  ShortFingerprint predictor{};       // of the predictor or checkpoint
  ShortFingerprint representation{};  // of tokenizer and universe; zeros for bytes
  Canary canary{};                    // hash of the predictor's numbers on a fixed probe

  friend bool operator==(const CodecParameters&, const CodecParameters&) = default;
};

// The first 16 bytes that the 64 hex digits of a fingerprint stand for. Requires lower-case hex.
ShortFingerprint ShortFingerprintOf(absl::string_view hex);
// 32 hex digits.
std::string ToHex(const ShortFingerprint& fingerprint);
std::string ToHex(const Canary& canary);

}  // namespace clm
