#include "core/coordinate/universe_options.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr int64_t kMaxLayers = 255;
constexpr int64_t kMaxNodesPerLayer = 1 << 19;
constexpr int64_t kMaxExpansionLength = 1 << 20;
constexpr int64_t kMaxCount = int64_t{1} << 62;

absl::Status CheckRange(absl::string_view field, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, " is ", value, ", must be in [", low, ", ", high, "]"));
}

}  // namespace

absl::Status UniverseOptions::Validate() const {
  CLM_RETURN_IF_ERROR(CheckRange("layers", layers, 0, kMaxLayers));
  CLM_RETURN_IF_ERROR(CheckRange("nodes_per_layer", nodes_per_layer, 0, kMaxNodesPerLayer));
  CLM_RETURN_IF_ERROR(CheckRange("superword_layers", superword_layers, 0, kMaxLayers));
  CLM_RETURN_IF_ERROR(CheckRange("layers + superword_layers", layers + superword_layers, 0, kMaxLayers));
  CLM_RETURN_IF_ERROR(CheckRange("superword_nodes_per_layer", superword_nodes_per_layer, 0, kMaxNodesPerLayer));
  CLM_RETURN_IF_ERROR(CheckRange("min_count", min_count, 1, kMaxCount));
  CLM_RETURN_IF_ERROR(CheckRange("selection_min_count", selection_min_count, 0, kMaxCount));
  CLM_RETURN_IF_ERROR(CheckRange("active_min_count", active_min_count, 0, kMaxCount));
  CLM_RETURN_IF_ERROR(CheckRange("max_expansion_length", max_expansion_length, 2, kMaxExpansionLength));
  if (constraint == JoinRule::kWholePretokens) {
    return absl::InvalidArgumentError("constraint is whole_pretokens, must be any or within_pretoken");
  }
  if (superword_layers > 0 && constraint != JoinRule::kWithinPretoken) {
    return absl::InvalidArgumentError(absl::StrCat("superword_layers is ", superword_layers,
                                                   ", which needs constraint within_pretoken, not ",
                                                   NameOf(constraint)));
  }
  return absl::OkStatus();
}

absl::StatusOr<UniverseOptions> UniversePreset(absl::string_view name) {
  UniverseOptions options;
  if (name == "pairs") return options;
  options.min_count = 4;
  options.constraint = JoinRule::kWithinPretoken;
  options.max_expansion_length = 16;
  options.layers = 32;
  if (name == "w") {
    options.nodes_per_layer = 128;
    return options;
  }
  if (name == "ws") {
    options.nodes_per_layer = 96;
    options.superword_layers = 8;
    options.superword_nodes_per_layer = 128;
    return options;
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown universe preset '", name, "', there are: pairs, w, ws"));
}

absl::string_view NameOf(JoinRule rule) {
  switch (rule) {
    case JoinRule::kAny:
      return "any";
    case JoinRule::kWithinPretoken:
      return "within_pretoken";
    case JoinRule::kWholePretokens:
      return "whole_pretokens";
  }
  return "";
}

absl::string_view NameOf(PairStrategy strategy) {
  switch (strategy) {
    case PairStrategy::kCount:
      return "count";
    case PairStrategy::kPmi:
      return "pmi";
    case PairStrategy::kConditional:
      return "conditional";
    case PairStrategy::kAuto:
      return "auto";
  }
  return "";
}

absl::string_view NameOf(PairOverlap overlap) { return overlap == PairOverlap::kRaw ? "raw" : "exact"; }

absl::StatusOr<JoinRule> ParseJoinRule(absl::string_view name) {
  for (const JoinRule rule : {JoinRule::kAny, JoinRule::kWithinPretoken, JoinRule::kWholePretokens}) {
    if (name == NameOf(rule)) return rule;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown join rule '", name, "', there are: any, within_pretoken, whole_pretokens"));
}

absl::StatusOr<PairStrategy> ParsePairStrategy(absl::string_view name) {
  for (const PairStrategy strategy :
       {PairStrategy::kCount, PairStrategy::kPmi, PairStrategy::kConditional, PairStrategy::kAuto}) {
    if (name == NameOf(strategy)) return strategy;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown pair strategy '", name, "', there are: count, pmi, conditional, auto"));
}

absl::StatusOr<PairOverlap> ParsePairOverlap(absl::string_view name) {
  for (const PairOverlap overlap : {PairOverlap::kRaw, PairOverlap::kExact}) {
    if (name == NameOf(overlap)) return overlap;
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown pair overlap '", name, "', there are: raw, exact"));
}

}  // namespace clm
