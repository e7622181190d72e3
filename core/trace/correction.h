// Generation by corrections: a predictor says what it expects, and the corrections say which of its choices to take.
//
// A text is what a predictor does not know about it; so invented corrections give a new text, and those of a text give
// that text. Four kinds:
//
//   zeros     always the first choice: greedy decoding
//   ranks     one number for each symbol, 0 being the first choice
//   nibbles   two ranks for each byte, first its low four bits, then its high four: 0x5C gives 12, then 5
//   payload   a rANS payload (core/entropy/rans.h) read through the entropy decoder: the one that a text was coded to
//             gives that text and ends where it ends; random bytes sample the predictor's distribution, each symbol
//             with its probability (to within 2^-7 of it for any state, 0.05 % on average)
//
// How long it gets, in this order:
//   - the boundary symbol, where the predictor's vocabulary has one, ends the text and is not part of it
//   - max_symbols ends it; corrections that are left are counted in unused_corrections
//   - corrections that run out end it, or with greedy_tail are followed by first choices up to max_symbols
// The payload runs out when the decoder is back in the coder's initial state with every word used, or when it needs a
// word and has none (the symbol that needed it is part of the text). Any bytes are a payload: missing ones count as
// zero, and a start state that no coder ends in is moved into range (its highest bit cleared, then 2^31 added if it is
// below 2^31).
//
// Determinism: integers only; equal predictors, prompts and corrections give equal bytes on every machine.
// Thread-safety: one call at a time per predictor; lane 0 is used and left reset.
// Errors: INVALID_ARGUMENT for options or corrections out of range; what the representation and `cancel` say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
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

struct ZeroCorrections {};
// Ranks and, literally, symbols: what RankSymbolsOf() gives of a trace reproduces its text.
struct RankCorrections {
  std::vector<RankSymbol> ranks;
};
struct NibbleCorrections {
  std::string bytes;
};
struct PayloadCorrections {
  std::string bytes;
};
using Corrections = std::variant<ZeroCorrections, RankCorrections, NibbleCorrections, PayloadCorrections>;

// The ranks that bytes stand for, as hits: two each, low nibble first.
std::vector<RankSymbol> RanksOfNibbles(absl::string_view bytes);

struct CorrectionOptions {
  // Symbols after the prompt. Range [1, 2^20].
  uint64_t max_symbols = 256;
  // What follows corrections that run out: false: nothing; true: first choices.
  bool greedy_tail = false;
  // As in TraceOptions.
  uint64_t window = 0;
  // Whether the boundary symbol ends the text. false: it is a symbol without bytes like others.
  bool stop_at_boundary = true;

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

enum class CorrectionEnd : uint8_t {
  kMaxSymbols = 1,
  kCorrections = 2,  // they ran out
  kBoundary = 3,
};

struct CorrectedText {
  std::vector<SymbolId> symbols;    // after the prompt
  std::string text;                 // their bytes
  uint64_t used_corrections = 0;    // ranks or symbols taken from the payload; 0 for zeros
  uint64_t unused_corrections = 0;  // ranks not taken, or whole words of the payload
  CorrectionEnd end = CorrectionEnd::kMaxSymbols;
};

absl::StatusOr<CorrectedText> GenerateFromCorrections(const Representation& representation, SymbolPredictor& predictor,
                                                      absl::string_view prompt, const Corrections& corrections,
                                                      const CorrectionOptions& options,
                                                      const CancellationToken& cancel = {});

// The payload that a text has after a prompt: what PayloadCorrections turn back into the text.
// FAILED_PRECONDITION for symbols that the predictor does not know; RESOURCE_EXHAUSTED above options.max_symbols.
absl::StatusOr<std::string> PayloadOfText(const Representation& representation, SymbolPredictor& predictor,
                                          absl::string_view prompt, absl::string_view text,
                                          const CorrectionOptions& options, const CancellationToken& cancel = {});

}  // namespace clm
