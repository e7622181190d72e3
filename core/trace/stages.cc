#include "core/trace/stages.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/trace/correction.h"
#include "core/trace/letter_flip.h"

namespace clm {
namespace {

constexpr std::array<StageInfo, 10> kStages = {{
    {"tokensOfStr", "text to the symbols of the representation", true},
    {"modelToInx", "symbols to ranks and probabilities", true},
    {"rangeEncode", "ranks and misses to coded words", false},
    {"binOfRange", "coded words to the .bin file", false},
    {"binToRange", "the .bin file to coded words", false},
    {"rangeDecode", "coded words to ranks and misses", false},
    {"modelOfInx", "ranks to symbols", true},
    {"tokensToStr", "symbols to text", true},
    {"tokensOfData", "bytes to ranks, two each, after the comment as prompt", true},
    {"flipLetters", "text with the first letters of sentences in the other case; its own inverse", false},
}};

absl::Status Missing(absl::string_view field) {
  return absl::InvalidArgumentError(absl::StrCat("field ", field, " is missing"));
}

absl::Status CheckModel(const StageModel& model, const StageDocument& document) {
  if (!document.model_name.has_value() || *document.model_name == model.name) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the list was made with model ", *document.model_name, ", this is ", model.name));
}

// Ranks mean something under the settings alone that they were made with.
absl::Status CheckSettings(const StageOptions& options, const StageDocument& document) {
  if (document.context_window.has_value() && *document.context_window != options.context_window) {
    return absl::FailedPreconditionError(absl::StrCat("the list was made with a context window of ",
                                                      *document.context_window, ", asked for is ",
                                                      options.context_window));
  }
  if (document.top_n.has_value() && *document.top_n != options.top_n) {
    return absl::FailedPreconditionError(
        absl::StrCat("the list was made with top ", *document.top_n, ", asked for is ", options.top_n));
  }
  return absl::OkStatus();
}

TraceOptions TraceOptionsOf(const StageOptions& options) {
  TraceOptions out;
  out.top_n = options.top_n;
  out.window = options.context_window;
  out.max_symbols = kMaxStageSymbols;
  out.with_entropy = false;
  return out;
}

// A row with what JSON knows of it: misses have no probability.
TraceRow PlainRow(const TraceRow& row) {
  return {.token = row.token, .rank = row.rank, .probability = row.rank == kMissRank ? 0 : row.probability};
}

absl::StatusOr<StageDocument> DocumentOfText(const StageModel& model, absl::string_view text, uint64_t stop_after) {
  CLM_ASSIGN_OR_RETURN(const std::vector<SymbolId> symbols, model.representation->Encode(text));
  const size_t count = stop_after == 0 ? symbols.size() : std::min<size_t>(symbols.size(), stop_after);
  StageDocument document;
  document.model_name = model.name;
  document.vocab_size = model.representation->layout().vocab_size;
  document.token_list.emplace();
  for (size_t i = 0; i < count; ++i) document.token_list->push_back({.token = symbols[i]});
  return document;
}

void AddSettings(const StageModel& model, const StageOptions& options, StageDocument& document) {
  document.model_name = model.name;
  document.context_window = options.context_window;
  document.top_n = options.top_n;
}

absl::StatusOr<std::string> RunModelStage(absl::string_view name, const StageModel& model, absl::string_view input,
                                          const StageOptions& options, const CancellationToken& cancel) {
  StageDocument document;
  if (name == "tokensOfStr") {
    CLM_ASSIGN_OR_RETURN(document, TokensOfStr(model, input, options));
    return WriteStageJson(document);
  }
  if (name == "tokensOfData") {
    CLM_ASSIGN_OR_RETURN(document, TokensOfData(model, input, options));
    return WriteStageJson(document);
  }
  CLM_ASSIGN_OR_RETURN(document, ParseStageJson(input));
  if (name == "tokensToStr") return TokensToStr(model, document);
  if (name == "modelToInx") {
    CLM_ASSIGN_OR_RETURN(document, ModelToInx(model, std::move(document), options, cancel));
  } else {
    CLM_ASSIGN_OR_RETURN(document, ModelOfInx(model, std::move(document), options, cancel));
  }
  return WriteStageJson(document);
}

}  // namespace

absl::StatusOr<StageDocument> TokensOfStr(const StageModel& model, absl::string_view text,
                                          const StageOptions& options) {
  CLM_ASSIGN_OR_RETURN(StageDocument document, DocumentOfText(model, text, options.stop_after));
  if (!options.comment.empty()) document.comment = options.comment;
  return document;
}

absl::StatusOr<StageDocument> TokensOfData(const StageModel& model, absl::string_view data,
                                           const StageOptions& options) {
  if (data.size() > kMaxStageSymbols / 2) {
    return absl::ResourceExhaustedError(
        absl::StrCat(data.size(), " bytes of corrections, the limit is ", kMaxStageSymbols / 2));
  }
  CLM_ASSIGN_OR_RETURN(StageDocument document, DocumentOfText(model, options.comment, options.stop_after));
  document.comment = options.comment;
  for (const RankSymbol symbol : RanksOfNibbles(data)) {
    document.token_list->push_back({.token = 0, .rank = static_cast<int32_t>(RankOfHit(symbol))});
  }
  return document;
}

absl::StatusOr<StageDocument> ModelToInx(const StageModel& model, StageDocument document, const StageOptions& options,
                                         const CancellationToken& cancel) {
  if (!document.token_list.has_value()) return Missing("tokenList");
  CLM_RETURN_IF_ERROR(CheckModel(model, document));
  std::vector<TraceRow>& rows = *document.token_list;
  std::vector<SymbolId> symbols = TokensOf(rows);
  if (options.stop_after != 0 && symbols.size() > options.stop_after) symbols.resize(options.stop_after);
  TraceOptions trace_options = TraceOptionsOf(options);
  trace_options.ask_first = false;
  CLM_ASSIGN_OR_RETURN(const std::vector<TraceRow> ranked,
                       TraceSymbols(*model.predictor, symbols, trace_options, cancel));
  for (size_t i = 0; i < ranked.size(); ++i) rows[i] = PlainRow(ranked[i]);
  document.comment = absl::StrCat(document.comment.value_or(""), options.comment);
  document.vocab_size = model.representation->layout().vocab_size;
  AddSettings(model, options, document);
  return document;
}

absl::StatusOr<StageDocument> RangeEncode(StageDocument document, const StageOptions& options) {
  if (!document.token_list.has_value()) return Missing("tokenList");
  CLM_ASSIGN_OR_RETURN(document.coded, EncodeRankBin(RankSymbolsOf(*document.token_list), options.precision_bits));
  document.token_list.reset();
  return document;
}

absl::StatusOr<std::string> BinOfRange(const StageDocument& document) {
  if (!document.coded.has_value()) return Missing("compressed");
  return WriteRankBin(*document.coded);
}

absl::StatusOr<StageDocument> BinToRange(absl::string_view bin) {
  StageDocument document;
  CLM_ASSIGN_OR_RETURN(document.coded, ParseRankBin(bin));
  return document;
}

absl::StatusOr<StageDocument> RangeDecode(StageDocument document) {
  if (!document.coded.has_value()) return Missing("compressed");
  CLM_ASSIGN_OR_RETURN(const std::vector<RankSymbol> symbols, DecodeRankBin(*document.coded, kMaxStageSymbols));
  document.token_list.emplace();
  for (const RankSymbol symbol : symbols) {
    if (IsHit(symbol)) {
      document.token_list->push_back({.token = 0, .rank = static_cast<int32_t>(RankOfHit(symbol))});
    } else {
      document.token_list->push_back({.token = SymbolOfMiss(symbol)});
    }
  }
  return document;
}

absl::StatusOr<StageDocument> ModelOfInx(const StageModel& model, StageDocument document, const StageOptions& options,
                                         const CancellationToken& cancel) {
  if (!document.token_list.has_value()) return Missing("tokenList");
  CLM_RETURN_IF_ERROR(CheckModel(model, document));
  CLM_RETURN_IF_ERROR(CheckSettings(options, document));
  std::vector<TraceRow>& rows = *document.token_list;
  std::vector<RankSymbol> symbols = RankSymbolsOf(rows);
  if (options.stop_after != 0 && symbols.size() > options.stop_after) symbols.resize(options.stop_after);
  CLM_ASSIGN_OR_RETURN(const std::vector<TraceRow> restored,
                       RestoreRows(*model.predictor, symbols, TraceOptionsOf(options), cancel));
  for (size_t i = 0; i < restored.size(); ++i) rows[i] = PlainRow(restored[i]);
  document.coded.reset();
  AddSettings(model, options, document);
  return document;
}

absl::StatusOr<std::string> TokensToStr(const StageModel& model, const StageDocument& document) {
  if (!document.token_list.has_value()) return Missing("tokenList");
  CLM_RETURN_IF_ERROR(CheckModel(model, document));
  return model.representation->Decode(TokensOf(*document.token_list));
}

std::span<const StageInfo> Stages() { return kStages; }

absl::StatusOr<StageInfo> FindStage(absl::string_view name) {
  std::string names;
  for (const StageInfo& stage : kStages) {
    if (stage.name == name) return stage;
    absl::StrAppend(&names, names.empty() ? "" : ", ", stage.name);
  }
  return absl::InvalidArgumentError(absl::StrCat("there is no stage \"", name, "\"; there are ", names));
}

absl::StatusOr<std::string> RunStage(absl::string_view name, const StageModel* model, absl::string_view input,
                                     const StageOptions& options, const CancellationToken& cancel) {
  CLM_ASSIGN_OR_RETURN(const StageInfo stage, FindStage(name));
  if (stage.needs_model) {
    if (model == nullptr) return absl::FailedPreconditionError(absl::StrCat("stage ", name, " needs a model"));
    return RunModelStage(name, *model, input, options, cancel);
  }
  StageDocument document;
  if (name == "flipLetters") return FlipLetters(input);
  if (name == "binToRange") {
    CLM_ASSIGN_OR_RETURN(document, BinToRange(input));
    return WriteStageJson(document);
  }
  CLM_ASSIGN_OR_RETURN(document, ParseStageJson(input));
  if (name == "binOfRange") return BinOfRange(document);
  if (name == "rangeEncode") {
    CLM_ASSIGN_OR_RETURN(document, RangeEncode(std::move(document), options));
  } else {
    CLM_ASSIGN_OR_RETURN(document, RangeDecode(std::move(document)));
  }
  return WriteStageJson(document);
}

}  // namespace clm
