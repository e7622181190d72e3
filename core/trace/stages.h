// The stages of the rank pipeline, each a function that can be looked at: what goes in and comes out is JSON with the
// field names of the original scripts, or the .bin file, so stages of theirs and ours can follow each other.
//
//   tokensOfStr   text  -> json    the representation's symbols                      needs a model
//   modelToInx    json  -> json    the rank and probability of each                  needs a model
//   rangeEncode   json  -> json    ranks and misses coded (rank_bin.h)
//   binOfRange    json  -> .bin
//   binToRange    .bin  -> json
//   rangeDecode   json  -> json    back to ranks and misses
//   modelOfInx    json  -> json    ranks to symbols                                  needs a model
//   tokensToStr   json  -> text                                                      needs a model
//   tokensOfData  bytes -> json    a prompt's symbols, then two ranks for each byte  needs a model
//   flipLetters   text  -> text    the letter flip (letter_flip.h)
//
// Different from the scripts: any bytes are text; texts whose counts are all above 1 and empty ones can be packed; a
// list made with another model is refused where its name is known (a .bin has none). The first symbol is told literally
// as theirs is, but ranks are taken for it too.
//
// Thread-safety: functions without state; one call at a time per predictor.
// Errors: as trace.h, rank_bin.h and stage_json.h; FAILED_PRECONDITION for a list of another model,
// window or top-N, naming both;
// INVALID_ARGUMENT for a field that the stage needs and the input lacks, or an unknown stage.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"
#include "core/predict/symbol_predictor.h"
#include "core/representation/representation.h"
#include "core/trace/stage_json.h"

namespace clm {

// What the stages ask. The caller owns both.
struct StageModel {
  std::string name;  // what tells models apart: "modelName" in the JSON
  const Representation* representation = nullptr;
  SymbolPredictor* predictor = nullptr;
};

struct StageOptions {
  uint64_t context_window = 0;  // as TraceOptions::window
  uint32_t top_n = 128;         // as TraceOptions::top_n
  uint64_t stop_after = 0;      // symbols that are ranked, or taken from the text or prompt; 0: all
  int precision_bits = 32;      // of rangeEncode; range [8, 32]
  std::string comment = {};     // added to the JSON's; the prompt of tokensOfData
};

absl::StatusOr<StageDocument> TokensOfStr(const StageModel& model, absl::string_view text, const StageOptions& options);
absl::StatusOr<StageDocument> TokensOfData(const StageModel& model, absl::string_view data,
                                           const StageOptions& options);
absl::StatusOr<StageDocument> ModelToInx(const StageModel& model, StageDocument document, const StageOptions& options,
                                         const CancellationToken& cancel = {});
absl::StatusOr<StageDocument> RangeEncode(StageDocument document, const StageOptions& options);
absl::StatusOr<std::string> BinOfRange(const StageDocument& document);
absl::StatusOr<StageDocument> BinToRange(absl::string_view bin);
absl::StatusOr<StageDocument> RangeDecode(StageDocument document);
absl::StatusOr<StageDocument> ModelOfInx(const StageModel& model, StageDocument document, const StageOptions& options,
                                         const CancellationToken& cancel = {});
absl::StatusOr<std::string> TokensToStr(const StageModel& model, const StageDocument& document);

struct StageInfo {
  absl::string_view name;
  absl::string_view description;  // one line for people
  bool needs_model = false;
};
// All of them, in the order above.
std::span<const StageInfo> Stages();
// INVALID_ARGUMENT listing the names there are.
absl::StatusOr<StageInfo> FindStage(absl::string_view name);

// One stage from bytes to bytes, as a program in a pipe. `model` may be null for a stage that needs none.
// INVALID_ARGUMENT for an unknown name; FAILED_PRECONDITION without a model that is needed.
absl::StatusOr<std::string> RunStage(absl::string_view name, const StageModel* model, absl::string_view input,
                                     const StageOptions& options, const CancellationToken& cancel = {});

}  // namespace clm
