#include "core/data/prepare_report.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/data/strict_object.h"

namespace clm {
namespace {

using nlohmann::json;

constexpr absl::string_view kName = "prepare_report.json";
constexpr size_t kMaxJsonBytes = size_t{16} << 20;

// What comes from outside may not be UTF-8 (paths, quoted text); it is shown with replacement characters.
std::string Dump(const json& value) { return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n"; }

json SplitToJson(const PrepareSplitReport& split) {
  return {{"documents", split.documents},
          {"original_bytes", split.original_bytes},
          {"documents_sha256", split.documents_sha256},
          {"symbols", split.symbols}};
}

absl::Status SplitFromJson(const json& value, const std::string& name, PrepareSplitReport& split) {
  StrictObject object(value, name);
  CLM_RETURN_IF_ERROR(object.Get("documents", split.documents));
  CLM_RETURN_IF_ERROR(object.Get("original_bytes", split.original_bytes));
  CLM_RETURN_IF_ERROR(object.Get("documents_sha256", split.documents_sha256));
  CLM_ASSIGN_OR_RETURN(const json* const symbols, object.Child("symbols"));
  if (!symbols->is_object()) return absl::InvalidArgumentError(absl::StrCat(name, ".symbols is not a JSON object"));
  StrictObject counts(*symbols, object.NameOf("symbols"));
  for (const auto& [kind, ignored] : symbols->items()) CLM_RETURN_IF_ERROR(counts.Get(kind, split.symbols[kind]));
  return object.Finish();
}

json LayersToJson(const std::vector<PrepareLayerReport>& layers) {
  json list = json::array();
  for (const PrepareLayerReport& layer : layers) {
    list.push_back({{"definitions", layer.definitions},
                    {"symbols_before", layer.symbols_before},
                    {"symbols_after", layer.symbols_after}});
  }
  return list;
}

absl::Status LayersFromJson(const json& value, std::vector<PrepareLayerReport>& layers) {
  if (!value.is_array()) return absl::InvalidArgumentError(absl::StrCat(kName, ".layers is not a JSON array"));
  for (const json& item : value) {
    StrictObject object(item, absl::StrCat(kName, ".layers[", layers.size(), "]"));
    PrepareLayerReport& layer = layers.emplace_back();
    CLM_RETURN_IF_ERROR(object.Get("definitions", layer.definitions));
    CLM_RETURN_IF_ERROR(object.Get("symbols_before", layer.symbols_before));
    CLM_RETURN_IF_ERROR(object.Get("symbols_after", layer.symbols_after));
    CLM_RETURN_IF_ERROR(object.Finish());
  }
  return absl::OkStatus();
}

json InputToJson(const PrepareReport& report) {
  return {{"files", report.input_files},
          {"bad_lines", report.bad_lines},
          {"blank_lines", report.blank_lines},
          {"empty_pieces", report.empty_pieces},
          {"bad_line_examples", report.bad_line_examples}};
}

absl::Status InputFromJson(const json& value, PrepareReport& report) {
  StrictObject object(value, absl::StrCat(kName, ".input"));
  CLM_RETURN_IF_ERROR(object.Get("files", report.input_files));
  CLM_RETURN_IF_ERROR(object.Get("bad_lines", report.bad_lines));
  CLM_RETURN_IF_ERROR(object.Get("blank_lines", report.blank_lines));
  CLM_RETURN_IF_ERROR(object.Get("empty_pieces", report.empty_pieces));
  CLM_ASSIGN_OR_RETURN(const json* const examples, object.Child("bad_line_examples"));
  if (!examples->is_array()) {
    return absl::InvalidArgumentError(absl::StrCat(object.NameOf("bad_line_examples"), " is not a JSON array"));
  }
  for (const json& example : *examples) {
    if (!example.is_string()) {
      return absl::InvalidArgumentError(absl::StrCat(object.NameOf("bad_line_examples"), " holds a non-string"));
    }
    report.bad_line_examples.push_back(example.get<std::string>());
  }
  return object.Finish();
}

absl::Status SplitsFromJson(StrictObject& root, PrepareReport& report) {
  CLM_ASSIGN_OR_RETURN(const json* const splits, root.Child("splits"));
  StrictObject object(*splits, root.NameOf("splits"));
  for (const Split split : kAllSplits) {
    const std::string key(SplitName(split));
    CLM_ASSIGN_OR_RETURN(const json* const child, object.Child(key));
    CLM_RETURN_IF_ERROR(SplitFromJson(*child, object.NameOf(key), report.split(split)));
  }
  return object.Finish();
}

}  // namespace

bool PrepareReport::operator==(const PrepareReport& other) const {
  return PrepareReportToJson(*this).value_or("left") == PrepareReportToJson(other).value_or("right");
}

absl::StatusOr<std::string> PrepareReportToJson(const PrepareReport& report) {
  CLM_ASSIGN_OR_RETURN(json options, ParseJson(report.options_json, "options_json", kMaxJsonBytes));
  if (!options.is_object()) return absl::InvalidArgumentError("options_json is not a JSON object");
  json splits = json::object();
  for (const Split split : kAllSplits) splits[std::string(SplitName(split))] = SplitToJson(report.split(split));
  const json root = {{"schema_version", PrepareReport::kSchemaVersion},
                     {"tokenizer_sha256", report.tokenizer_sha256},
                     {"universe_sha256", report.universe_sha256},
                     {"selection_ppm", report.split_options.selection_ppm},
                     {"validation_ppm", report.split_options.validation_ppm},
                     {"splits", splits},
                     {"layers", LayersToJson(report.layers)},
                     {"input", InputToJson(report)},
                     {"round_trip_verified", report.round_trip_verified},
                     {"seconds", report.seconds},
                     {"peak_memory_bytes", report.peak_memory_bytes},
                     {"options", std::move(options)}};
  return Dump(root);
}

absl::StatusOr<PrepareReport> PrepareReportFromJson(absl::string_view text) {
  CLM_ASSIGN_OR_RETURN(const json value, ParseJson(text, kName, kMaxJsonBytes));
  StrictObject root(value, std::string(kName));
  uint32_t version = 0;
  CLM_RETURN_IF_ERROR(root.Get("schema_version", version));
  if (version != PrepareReport::kSchemaVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat(kName, ": schema version ", version, ", this program reads ", PrepareReport::kSchemaVersion));
  }
  PrepareReport report;
  CLM_RETURN_IF_ERROR(root.Get("tokenizer_sha256", report.tokenizer_sha256));
  CLM_RETURN_IF_ERROR(root.Get("universe_sha256", report.universe_sha256));
  CLM_RETURN_IF_ERROR(root.Get("selection_ppm", report.split_options.selection_ppm));
  CLM_RETURN_IF_ERROR(root.Get("validation_ppm", report.split_options.validation_ppm));
  CLM_RETURN_IF_ERROR(report.split_options.Validate());
  CLM_RETURN_IF_ERROR(SplitsFromJson(root, report));
  CLM_ASSIGN_OR_RETURN(const json* const layers, root.Child("layers"));
  CLM_RETURN_IF_ERROR(LayersFromJson(*layers, report.layers));
  CLM_ASSIGN_OR_RETURN(const json* const input, root.Child("input"));
  CLM_RETURN_IF_ERROR(InputFromJson(*input, report));
  CLM_RETURN_IF_ERROR(root.Get("round_trip_verified", report.round_trip_verified));
  CLM_RETURN_IF_ERROR(root.Get("seconds", report.seconds));
  CLM_RETURN_IF_ERROR(root.Get("peak_memory_bytes", report.peak_memory_bytes));
  CLM_ASSIGN_OR_RETURN(const json* const options, root.Child("options"));
  if (!options->is_object()) return absl::InvalidArgumentError(absl::StrCat(kName, ".options is not a JSON object"));
  report.options_json = options->dump(-1, ' ', false, json::error_handler_t::replace);
  CLM_RETURN_IF_ERROR(root.Finish());
  return report;
}

}  // namespace clm
