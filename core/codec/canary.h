// Canary: a hash of the numbers a predictor gives on a fixed probe.
//
// A fingerprint says which numbers a predictor should give; the canary says which it does give on this machine. A frame
// carries the encoder's, and a decoder whose own differs refuses before it writes a byte.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "core/base/byte_writer.h"
#include "core/codec/codec_parameters.h"
#include "core/predict/symbol_predictor.h"

namespace clm {

// 256 bytes: words with repeats, then every kind of byte.
absl::string_view CanaryProbe();

// The first 8 bytes of SHA-256 over the numbers added, little-endian.
class CanaryHash {
 public:
  void Add(uint32_t value) { values_.WriteU32(value); }
  Canary Finish() const;

 private:
  ByteWriter values_;
};

// Over the whole frequency table before each byte of the probe, on lane 0. Leaves that lane reset. Requires
// vocab_size() >= 256.
Canary CanaryOf(SymbolPredictor& predictor);

}  // namespace clm
