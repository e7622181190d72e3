// SymbolPredictor: integer distributions of the next symbol, for entropy coding and exact sampling.
//
// A predictor keeps `lanes()` independent contexts. For each lane it gives the next symbol's frequencies, which sum to
// exactly 2^precision_bits() and are at least 1 for every symbol, so every symbol can be coded. Everything is integer
// arithmetic: the same symbols give the same frequencies on every machine, thread count and library version, for ever.
// That is what fingerprint() promises: predictors of equal fingerprint give equal frequencies.
//
// Call order per lane: Frequencies(), Interval(), Find() and the ranks in any order and number, then Update() with the
// symbol that came, and so on. Intervals lie in the order of the symbols. Ranks order the symbols by what the predictor
// finds likelier, equal ones by the symbol: rank 0 is its first choice.
//
// The functions that are not pure have slow defaults; a predictor that can do better overrides them with the same
// results.
//
// Thread-safety: not thread-safe; AskLanes() is the way to ask in parallel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/functional/function_ref.h"
#include "core/base/types.h"
#include "core/entropy/cdf.h"

namespace clm {

// What came on one lane.
struct LaneUpdate {
  uint32_t lane = 0;
  SymbolId symbol = 0;
};

// Symbols that are known beforehand, and where their intervals go.
struct LaneText {
  uint32_t lane = 0;
  std::span<const SymbolId> symbols;
  std::span<SymbolInterval> intervals;  // as long as `symbols`
};

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
  // The interval of one symbol.
  virtual SymbolInterval Interval(size_t lane, SymbolId symbol);
  // The symbol whose interval holds `slot`, and that interval. Requires slot < 2^precision_bits().
  virtual SymbolId Find(size_t lane, uint32_t slot, SymbolInterval& interval);
  // How many symbols come before `symbol` in the order of likelihood.
  virtual uint32_t RankOf(size_t lane, SymbolId symbol);
  // Its inverse. Requires rank < vocab_size().
  virtual SymbolId SymbolOfRank(size_t lane, uint32_t rank);
  // Calls ask(0) .. ask(count - 1), each of which asks the functions above about a lane of its own: on several threads
  // where the predictor allows that, otherwise one after the other.
  virtual void AskLanes(size_t count, absl::FunctionRef<void(size_t)> ask);

  // Tells the symbol that came. Requires symbol < vocab_size().
  virtual void Update(size_t lane, SymbolId symbol) = 0;
  // The same on many lanes, each named at most once: where the work of lanes can be joined, many times faster.
  virtual void UpdateLanes(std::span<const LaneUpdate> updates);
  // Tells all symbols of each text, its lane named at most once, and gives the interval that each had before it was
  // told. The fastest way where the symbols are known.
  virtual void ScoreLanes(std::span<const LaneText> texts);
  // Back to the state at the start of a document.
  virtual void Reset(size_t lane) = 0;

  // An independent copy with the same state.
  virtual std::unique_ptr<SymbolPredictor> Clone() const = 0;
};

}  // namespace clm
