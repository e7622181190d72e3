#include "core/trace/stage_json.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/base/strict_json.h"

namespace clm {
namespace {

using Json = nlohmann::json;

constexpr double kMillion = 1e6;
constexpr int64_t kMaxId = std::numeric_limits<int32_t>::max();

absl::Status Wrong(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("field ", field, " ", what));
}

absl::StatusOr<int64_t> ReadInteger(const Json& value, absl::string_view field, int64_t low, int64_t high) {
  if (value.is_number_unsigned() && value.get<uint64_t>() <= static_cast<uint64_t>(kMaxId) * 4) {
    const auto number = static_cast<int64_t>(value.get<uint64_t>());
    if (number >= low && number <= high) return number;
  } else if (value.is_number_integer() && !value.is_number_unsigned()) {
    const auto number = value.get<int64_t>();
    if (number >= low && number <= high) return number;
  }
  return Wrong(field, absl::StrCat("is not a whole number in [", low, ", ", high, "]"));
}

absl::Status ReadText(const Json& object, const char* field, std::optional<std::string>& out) {
  const auto found = object.find(field);
  if (found == object.end() || found->is_null()) return absl::OkStatus();
  if (!found->is_string()) return Wrong(field, "is not a string");
  out = found->get<std::string>();
  return absl::OkStatus();
}

template <typename Number>
absl::Status ReadOptional(const Json& object, const char* field, std::optional<Number>& out) {
  const auto found = object.find(field);
  if (found == object.end() || found->is_null()) return absl::OkStatus();
  CLM_ASSIGN_OR_RETURN(const int64_t number, ReadInteger(*found, field, 0, kMaxId));
  out = static_cast<Number>(number);
  return absl::OkStatus();
}

absl::StatusOr<TraceRow> ReadRow(const Json& value, size_t index) {
  const std::string field = absl::StrCat("tokenList[", index, "]");
  if (!value.is_array() || value.size() != 3) return Wrong(field, "is not [token, rank, probability]");
  TraceRow row;
  CLM_ASSIGN_OR_RETURN(const int64_t token, ReadInteger(value[0], field, 0, kMaxId));
  CLM_ASSIGN_OR_RETURN(const int64_t rank, ReadInteger(value[1], field, kMissRank, kMaxId - 1));
  if (!value[2].is_number()) return Wrong(field, "has a probability that is no number");
  row.token = static_cast<SymbolId>(token);
  row.rank = static_cast<int32_t>(rank);
  row.probability = value[2].get<double>();
  if (!(row.probability >= 0 && row.probability <= 1)) return Wrong(field, "has a probability outside [0, 1]");
  return row;
}

// The array `field` of `object`, no longer than allowed.
absl::StatusOr<const Json*> FindArray(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end()) return Wrong(field, "is missing");
  if (!found->is_array()) return Wrong(field, "is not an array");
  if (found->size() > kMaxStageSymbols) {
    return absl::ResourceExhaustedError(
        absl::StrCat("field ", field, " has ", found->size(), " entries, the limit is ", kMaxStageSymbols));
  }
  return &*found;
}

template <typename Number>
absl::StatusOr<std::vector<Number>> ReadNumbers(const Json& object, const char* field) {
  CLM_ASSIGN_OR_RETURN(const Json* const array, FindArray(object, field));
  std::vector<Number> numbers;
  numbers.reserve(array->size());
  for (const Json& value : *array) {
    CLM_ASSIGN_OR_RETURN(const int64_t number, ReadInteger(value, field, std::numeric_limits<Number>::min(),
                                                           std::numeric_limits<Number>::max()));
    numbers.push_back(static_cast<Number>(number));
  }
  return numbers;
}

absl::StatusOr<std::vector<TraceRow>> ReadRows(const Json& object) {
  CLM_ASSIGN_OR_RETURN(const Json* const array, FindArray(object, "tokenList"));
  std::vector<TraceRow> rows;
  rows.reserve(array->size());
  for (const Json& value : *array) {
    CLM_ASSIGN_OR_RETURN(const TraceRow row, ReadRow(value, rows.size()));
    rows.push_back(row);
  }
  return rows;
}

absl::StatusOr<RankBin> ReadCoded(const Json& object) {
  RankBin bin;
  for (const char* field : {"precision", "length"}) {
    if (!object.contains(field)) return Wrong(field, "is missing");
  }
  CLM_ASSIGN_OR_RETURN(const int64_t precision,
                       ReadInteger(object["precision"], "precision", kMinRankBinPrecision, kMaxRankBinPrecision));
  CLM_ASSIGN_OR_RETURN(const int64_t length, ReadInteger(object["length"], "length", 0, kMaxStageSymbols));
  bin.precision_bits = static_cast<int>(precision);
  bin.length = static_cast<uint32_t>(length);
  CLM_ASSIGN_OR_RETURN(bin.symbols, ReadNumbers<RankSymbol>(object, "inxToSym"));
  CLM_ASSIGN_OR_RETURN(bin.counts, ReadNumbers<uint32_t>(object, "counts"));
  CLM_ASSIGN_OR_RETURN(bin.words, ReadNumbers<uint32_t>(object, "compressed"));
  return bin;
}

absl::StatusOr<StageDocument> ReadDocument(const Json& object) {
  if (!object.is_object()) return absl::InvalidArgumentError("a stage's JSON is not an object");
  StageDocument document;
  CLM_RETURN_IF_ERROR(ReadText(object, "modelName", document.model_name));
  CLM_RETURN_IF_ERROR(ReadText(object, "comment", document.comment));
  CLM_RETURN_IF_ERROR(ReadOptional(object, "vocabSize", document.vocab_size));
  CLM_RETURN_IF_ERROR(ReadOptional(object, "contextwindow", document.context_window));
  CLM_RETURN_IF_ERROR(ReadOptional(object, "topN", document.top_n));
  if (object.contains("tokenList")) {
    CLM_ASSIGN_OR_RETURN(document.token_list, ReadRows(object));
  }
  if (object.contains("compressed")) {
    CLM_ASSIGN_OR_RETURN(document.coded, ReadCoded(object));
  }
  return document;
}

void AppendKey(absl::string_view key, std::string& out) {
  absl::StrAppend(&out, out.size() == 1 ? "" : ", ", "\"", key, "\": ");
}

absl::Status AppendText(absl::string_view key, const std::optional<std::string>& text, std::string& out) {
  if (!text.has_value()) return absl::OkStatus();
  if (!IsJsonText(*text)) return Wrong(key, "is not valid UTF-8");
  AppendKey(key, out);
  absl::StrAppend(&out, Json(*text).dump(-1, ' ', /*ensure_ascii=*/true));
  return absl::OkStatus();
}

template <typename Number>
void AppendNumbers(absl::string_view key, const std::vector<Number>& numbers, std::string& out) {
  AppendKey(key, out);
  out += "[";
  for (size_t i = 0; i < numbers.size(); ++i) absl::StrAppend(&out, i == 0 ? "" : ", ", numbers[i]);
  out += "]";
}

// In millionths, without zeros at the end: 0.0, 0.25, 1.0.
std::string ProbabilityText(double probability) {
  std::string text = absl::StrFormat("%.6f", std::round(probability * kMillion) / kMillion);
  while (text.back() == '0' && text[text.size() - 2] != '.') text.pop_back();
  return text;
}

void AppendRows(const std::vector<TraceRow>& rows, std::string& out) {
  AppendKey("tokenList", out);
  out += "[";
  for (size_t i = 0; i < rows.size(); ++i) {
    absl::StrAppend(&out, i == 0 ? "[" : ", [", rows[i].token, ", ", rows[i].rank, ", ",
                    ProbabilityText(rows[i].probability), "]");
  }
  out += "]";
}

}  // namespace

absl::StatusOr<StageDocument> ParseStageJson(absl::string_view json) {
  const JsonLimits limits = {.max_bytes = kMaxStageBytes, .max_depth = 8, .max_values = 8 * kMaxStageSymbols};
  CLM_ASSIGN_OR_RETURN(const Json object, ParseStrictJson(json, limits));
  return ReadDocument(object);
}

absl::StatusOr<std::string> WriteStageJson(const StageDocument& document) {
  if (document.token_list.has_value() && document.token_list->size() > kMaxStageSymbols) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a list of ", document.token_list->size(), " tokens, the limit is ", kMaxStageSymbols));
  }
  std::string out = "{";
  CLM_RETURN_IF_ERROR(AppendText("modelName", document.model_name, out));
  if (document.vocab_size.has_value()) {
    AppendKey("vocabSize", out);
    absl::StrAppend(&out, *document.vocab_size);
  }
  CLM_RETURN_IF_ERROR(AppendText("comment", document.comment, out));
  if (document.context_window.has_value()) {
    AppendKey("contextwindow", out);
    absl::StrAppend(&out, *document.context_window);
  }
  if (document.top_n.has_value()) {
    AppendKey("topN", out);
    absl::StrAppend(&out, *document.top_n);
  }
  if (document.token_list.has_value()) AppendRows(*document.token_list, out);
  if (document.coded.has_value()) {
    AppendKey("precision", out);
    absl::StrAppend(&out, document.coded->precision_bits);
    AppendKey("length", out);
    absl::StrAppend(&out, document.coded->length);
    AppendNumbers("inxToSym", document.coded->symbols, out);
    AppendNumbers("counts", document.coded->counts, out);
    AppendNumbers("compressed", document.coded->words, out);
  }
  out += "}";
  return out;
}

}  // namespace clm
