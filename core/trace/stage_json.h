// StageDocument: what the stages of the rank pipeline hand to each other, as JSON with the field names of the original
// scripts ("A Compression View of Large Language Models", 2024), so that either side reads the other's files.
//
//   modelName vocabSize comment contextwindow topN      who made it, with what settings
//   tokenList    rows [token, rank or -1, probability]  probabilities in millionths, 0 where there is none
//   precision length inxToSym counts compressed         a coded list (rank_bin.h)
//
// Fields that a stage does not know are absent. Reading refuses unknown types, numbers out of range, rows that are no
// rows and everything ParseStrictJson refuses; further fields are ignored.
//
// Thread-safety: functions without state. Errors: INVALID_ARGUMENT naming the field; RESOURCE_EXHAUSTED above a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/codec/rank_bin.h"
#include "core/trace/trace.h"

namespace clm {

// Of a list in a document, and of the document itself.
inline constexpr size_t kMaxStageSymbols = size_t{1} << 18;
inline constexpr size_t kMaxStageBytes = size_t{32} << 20;

struct StageDocument {
  std::optional<std::string> model_name;
  std::optional<uint32_t> vocab_size;
  std::optional<std::string> comment;  // null counts as absent
  std::optional<uint64_t> context_window;
  std::optional<uint32_t> top_n;
  std::optional<std::vector<TraceRow>> token_list;  // token, rank and probability alone
  std::optional<RankBin> coded;
};

absl::StatusOr<StageDocument> ParseStageJson(absl::string_view json);
// One line, keys in the order above. RESOURCE_EXHAUSTED for more than kMaxStageSymbols; INVALID_ARGUMENT for a model
// name or comment that is no UTF-8.
absl::StatusOr<std::string> WriteStageJson(const StageDocument& document);

}  // namespace clm
