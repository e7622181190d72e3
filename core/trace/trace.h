// Trace: a text as a predictor saw it, symbol by symbol, and the way back from ranks to the text.
//
//   CLM_ASSIGN_OR_RETURN(Trace trace, TraceText(representation, predictor, text, {.top_n = 128}));
//
// The predictor starts as at the start of a document and is told every symbol in turn. Ranks are exact: by falling
// integer frequency, equal ones by the symbol (symbol_predictor.h), so they are the same on every machine. Probability,
// bits and entropy are derived from the same integers; they are for people and charts.
//
// Cost: each row reads the whole distribution: O(vocabulary), with a logarithm each when the entropy is asked for.
// Thread-safety: one call at a time per predictor; lane 0 is used and left reset.
// Errors: FAILED_PRECONDITION for a representation whose symbols the predictor does not know; RESOURCE_EXHAUSTED above
// a limit; DATA_LOSS for ranks and symbols that the predictor cannot have given; what `cancel` says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"
#include "core/base/types.h"
#include "core/codec/rank_symbol.h"
#include "core/predict/symbol_predictor.h"
#include "core/representation/representation.h"

namespace clm {

inline constexpr int32_t kMissRank = -1;

struct TraceRow {
  SymbolId token = 0;
  int32_t rank = kMissRank;  // 0 = the predictor's first choice; kMissRank: at top_n or later, or not asked
  double probability = 0;    // of the token, in (0, 1]; 0: the predictor was not asked
  double bits = 0;           // -log2(probability); 0 when not asked
  double entropy = 0;        // of the whole distribution, in bits; 0 when not asked

  bool asked() const { return probability > 0; }
  friend bool operator==(const TraceRow&, const TraceRow&) = default;
};

struct TraceOptions {
  // A token ranked at top_n or later is a miss. 0: every rank counts. Larger than the vocabulary: the same.
  uint32_t top_n = 128;
  // What the predictor may see: the last `window` symbols, the start of the document with them. 0: what it can by
  // itself. Else each row costs `window` updates: fine for small texts, and refused above 2^26 updates in all.
  uint64_t window = 0;
  // Ask the predictor for the first symbol too. false: it is told literally, as the original scripts do, whose models
  // have nothing to start from.
  bool ask_first = true;
  bool with_entropy = true;
  // Longer texts are refused. Range [1, 2^24].
  uint64_t max_symbols = uint64_t{1} << 20;
  // Only the first so many symbols are looked at; 0: all.
  uint64_t stop_after = 0;

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

struct Trace {
  std::vector<TraceRow> rows;
  uint64_t original_bytes = 0;  // of the text that the rows are of
  uint32_t vocab_size = 0;      // of the predictor
  uint32_t top_n = 0;           // as it was applied, in [1, vocab_size]
  bool whole = true;            // false: stop_after left something out
};

// INVALID_ARGUMENT for a symbol that the predictor does not know.
absl::StatusOr<std::vector<TraceRow>> TraceSymbols(SymbolPredictor& predictor, std::span<const SymbolId> symbols,
                                                   const TraceOptions& options, const CancellationToken& cancel = {});

absl::StatusOr<Trace> TraceText(const Representation& representation, SymbolPredictor& predictor,
                                absl::string_view text, const TraceOptions& options,
                                const CancellationToken& cancel = {});

// The ranks and misses of rows: what rank coders take.
std::vector<RankSymbol> RankSymbolsOf(std::span<const TraceRow> rows);

// The tokens that ranks and misses stand for, with the rows' probabilities: the inverse of
// RankSymbolsOf(TraceSymbols()). The options must be those of the trace; other ones give other tokens or DATA_LOSS.
absl::StatusOr<std::vector<TraceRow>> RestoreRows(SymbolPredictor& predictor, std::span<const RankSymbol> ranks,
                                                  const TraceOptions& options, const CancellationToken& cancel = {});

// The tokens of rows.
std::vector<SymbolId> TokensOf(std::span<const TraceRow> rows);

}  // namespace clm
