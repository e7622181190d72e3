// SymbolPredictor: integer distributions of the next symbol, for entropy coding and exact sampling.
//
// A predictor keeps `lanes()` independent contexts. For each lane it gives the next symbol's frequencies, which sum to
// exactly 2^precision_bits() and are at least 1 for every symbol, so every symbol can be coded. Everything is integer
// arithmetic: the same symbols give the same frequencies on every machine, thread count and library version, for ever.
// That is what fingerprint() promises: predictors of equal fingerprint give equal frequencies.
//
// Call order per lane: Frequencies() (any number of times), then Update() with the symbol that came, and so on.
//
// Thread-safety: not thread-safe. Ownership: spans returned are valid until the next non-const call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/types.h"

namespace clm {

class SymbolPredictor {
 public:
  virtual ~SymbolPredictor() = default;

  virtual uint32_t vocab_size() const = 0;
  virtual size_t lanes() const = 0;
  // P in [12, 24]; frequencies sum to 2^P.
  virtual int precision_bits() const = 0;
  // 64 hex digits over everything that decides the frequencies: algorithm version, tables, weights.
  virtual std::string fingerprint() const = 0;

  // Writes the frequencies of all `vocab_size()` symbols of the next position of `lane` to `out` (size vocab_size()).
  virtual void Frequencies(size_t lane, std::span<uint32_t> out) = 0;
  // Tells the symbol that came. Requires symbol < vocab_size().
  virtual void Update(size_t lane, SymbolId symbol) = 0;
  // Back to the state at the start of a document.
  virtual void Reset(size_t lane) = 0;

  // An independent copy with the same state.
  virtual std::unique_ptr<SymbolPredictor> Clone() const = 0;
};

}  // namespace clm
