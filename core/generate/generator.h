// Generator: continues a prompt, symbol by symbol, and hands out text as it settles.
//
// The model is fed the boundary and the prompt's symbols, then each symbol it gave. What is promised, whatever the
// options:
//
//   - The text of all pieces together is the text of the result, the symbols likewise; the text is the decoding of the
//     symbols. The only exception: with a stop string the last symbol may reach beyond the stop, and a decoder that
//     holds bytes back until its end may reach beyond max_new_bytes; then the decoding is longer than the text by
//     exactly GenerateResult::cut_bytes.
//   - The text never has more than max_new_bytes bytes. The symbol that would go beyond is not reported, so generation
//   ends
//     less than one symbol's bytes before the limit.
//   - A stop string is never in the text, also when it straddles symbols: an end of the text that may still become one
//   is
//     held back.
//   - With complete_utf8, no piece but the last ends inside a UTF-8 character. Bytes are never changed or dropped for
//   that.
//   - Equal model, representation, prompt and options give equal results: greedy and seeded runs repeat.
//
// Thread-safety: one Generate() at a time per model. Ownership: model, representation and clock must outlive the
// Generator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"
#include "core/base/clock.h"
#include "core/base/types.h"
#include "core/generate/sampler.h"
#include "core/predict/next_symbol_model.h"
#include "core/representation/representation.h"

namespace clm {

struct GenerateOptions {
  static constexpr uint64_t kMaxNewSymbols = uint64_t{1} << 20;
  static constexpr uint64_t kMaxPromptBytes = uint64_t{16} << 20;
  static constexpr size_t kMaxStopStrings = 16;
  static constexpr size_t kMaxStopStringBytes = 256;

  uint64_t max_new_symbols = 256;  // range [1, kMaxNewSymbols]
  // Bytes of text after the prompt; 0 = no limit of its own.
  uint64_t max_new_bytes = 0;
  // Generation ends before the first of these. At most kMaxStopStrings, each of 1 to kMaxStopStringBytes bytes.
  std::vector<std::string> stop_strings;
  // true: the boundary symbol ends the text. false: it is never drawn (for measuring throughput).
  bool stop_at_boundary = true;
  // Pieces end at UTF-8 characters. false: every symbol's bytes are handed out at once.
  bool complete_utf8 = true;
  SamplingOptions sampling;

  absl::Status Validate(uint32_t vocab_size) const;  // INVALID_ARGUMENT, naming field, value and range
};

enum class StopReason : uint8_t {
  kBoundary = 1,  // the model ended the document; the boundary is not among the symbols
  kMaxSymbols = 2,
  kMaxBytes = 3,  // the limit is reached, or the next symbol would go beyond it
  kStopString = 4,
};
// "boundary", "max_new_symbols", "max_new_bytes", "stop_string".
absl::string_view StopReasonName(StopReason reason);

struct GeneratedPiece {
  std::vector<SymbolId> symbols;  // those whose last byte is in this piece or was in an earlier one
  std::string bytes;
};

// Called from the thread that generates. A status that is not OK ends the generation, which then returns that status.
using PieceSink = std::function<absl::Status(const GeneratedPiece&)>;

struct GenerateResult {
  std::vector<SymbolId> symbols;
  std::string text;
  StopReason stop_reason = StopReason::kMaxSymbols;
  uint64_t cut_bytes = 0;       // decoded bytes of `symbols` that are not in `text`: see above
  uint64_t prompt_symbols = 0;  // fed before the first one, boundary included
  double prefill_seconds = 0;   // encoding and feeding the prompt
  double seconds = 0;           // everything after
};

class Generator {
 public:
  // INVALID_ARGUMENT when model and representation differ in vocabulary.
  static absl::StatusOr<Generator> Create(NextSymbolModel& model, const Representation& representation,
                                          const Clock& clock = SystemClock());

  // `sink` and `prefill_done` may be empty; `prefill_done` is called once, when the prompt has been fed.
  absl::StatusOr<GenerateResult> Generate(absl::string_view prompt, const GenerateOptions& options,
                                          const PieceSink& sink = {}, const CancellationToken& cancel = {},
                                          const std::function<void()>& prefill_done = {});

 private:
  Generator(NextSymbolModel& model, const Representation& representation, const Clock& clock)
      : model_(&model), representation_(&representation), clock_(&clock) {}

  absl::StatusOr<std::vector<SymbolId>> EncodePrompt(absl::string_view prompt) const;
  // Feeds `symbols` in parts, so that cancelling is noticed; `logits_` are those after the last.
  absl::Status Feed(const std::vector<SymbolId>& symbols, const CancellationToken& cancel);

  NextSymbolModel* model_;
  const Representation* representation_;
  const Clock* clock_;
  std::vector<float> logits_;
};

}  // namespace clm
