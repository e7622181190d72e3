// NextSymbolModel: floating-point logits of the next symbol, with explicit state; what Generate runs on.
//
// Unlike SymbolPredictor its numbers may differ between machines and library versions, so nothing that is stored is
// ever coded with it.
//
// Thread-safety: not thread-safe; one instance per running generation (weights may be shared behind it).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "core/base/types.h"

namespace clm {

class NextSymbolModel {
 public:
  virtual ~NextSymbolModel() = default;
  virtual uint32_t vocab_size() const = 0;
  // Forgets everything fed so far.
  virtual void Reset() = 0;
  // Feeds `symbols` (at least one) and writes the logits [vocab_size] of the symbol that follows the last of them to
  // `logits`. Contexts longer than the model's window slide; that is the model's business. OUT_OF_RANGE for a symbol >=
  // vocab_size().
  virtual absl::Status Feed(std::span<const SymbolId> symbols, std::vector<float>& logits) = 0;
};

}  // namespace clm
