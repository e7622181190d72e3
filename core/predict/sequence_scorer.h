// SequenceScorer: the nats a model spends on whole documents; what BPB is computed from.
//
// Rules (they make BPB comparable): every document ends with the boundary symbol and that symbol is scored too; the
// first symbol is conditioned on the boundary; every symbol is scored exactly once; the result of a document does not
// depend on which other documents are scored with it (to 1e-6 relative).
//
// Thread-safety: not thread-safe; one scorer per thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/cancellation.h"
#include "core/base/types.h"

namespace clm {

struct ScoredDocument {
  double nats = 0;       // summed over all symbols, boundary included; natural logarithm
  uint64_t symbols = 0;  // predicted symbols, boundary included
};

class SequenceScorer {
 public:
  virtual ~SequenceScorer() = default;
  virtual uint32_t vocab_size() const = 0;
  // What the scores were made with, for the report: device, number type, window and stride.
  virtual std::string description() const = 0;
  // One result per document, in order. Each document is its symbols INCLUDING the final boundary symbol, EXCLUDING the
  // leading one. OUT_OF_RANGE names document and position of a symbol >= vocab_size().
  virtual absl::StatusOr<std::vector<ScoredDocument>> Score(std::span<const std::vector<SymbolId>> documents,
                                                            const CancellationToken& cancel) = 0;
};

// OUT_OF_RANGE naming document and position of the first symbol >= vocab_size: what every scorer checks first.
absl::Status CheckScoredSymbols(std::span<const std::vector<SymbolId>> documents, uint32_t vocab_size);

// Every symbol costs ln(vocab_size): the scorer whose BPB is known in closed form.
class UniformScorer final : public SequenceScorer {
 public:
  explicit UniformScorer(uint32_t vocab_size) : vocab_size_(vocab_size) {}
  uint32_t vocab_size() const override { return vocab_size_; }
  std::string description() const override { return "uniform"; }
  absl::StatusOr<std::vector<ScoredDocument>> Score(std::span<const std::vector<SymbolId>> documents,
                                                    const CancellationToken& cancel) override;

 private:
  const uint32_t vocab_size_;
};

}  // namespace clm
