#include "core/coordinate/universe_file.h"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/base/strict_json.h"

namespace clm {
namespace {

using Json = nlohmann::json;

constexpr absl::string_view kFormat = "clm-universe-1";
constexpr absl::string_view kVersion = "dc-v1";
constexpr uint32_t kForeignBaseSize = 256;
constexpr uint64_t kMaxSafeInteger = (uint64_t{1} << 62);

// Text of a value in a message.
std::string Show(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 64); }

absl::Status CheckKeys(const Json& object, std::initializer_list<const char*> keys, absl::string_view name) {
  if (!object.is_object()) return absl::InvalidArgumentError(absl::StrCat(name, " is not an object: ", Show(object)));
  for (const char* key : keys) {
    if (!object.contains(key)) return absl::InvalidArgumentError(absl::StrCat(name, " has no \"", key, "\""));
  }
  for (const auto& [key, value] : object.items()) {
    const bool known = std::any_of(keys.begin(), keys.end(), [&key = key](const char* k) { return key == k; });
    if (!known)
      return absl::InvalidArgumentError(absl::StrCat(name, " has the unknown key \"", key.substr(0, 64), "\""));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> ReadInteger(const Json& value, uint64_t max, absl::string_view name) {
  if (!value.is_number_integer()) {
    return absl::InvalidArgumentError(absl::StrCat(name, " is ", Show(value), ", must be an integer"));
  }
  if (!value.is_number_unsigned()) {
    return absl::InvalidArgumentError(absl::StrCat(name, " is ", Show(value), ", must not be negative"));
  }
  const auto number = value.get<uint64_t>();
  if (number > max) {
    return absl::InvalidArgumentError(absl::StrCat(name, " is ", number, ", must be at most ", max));
  }
  return number;
}

absl::StatusOr<SymbolId> ReadId(const Json& value, absl::string_view name) {
  CLM_ASSIGN_OR_RETURN(const uint64_t id, ReadInteger(value, Universe::kMaxVocabSize - 1, name));
  return static_cast<SymbolId>(id);
}

absl::StatusOr<std::string> ReadString(const Json& value, absl::string_view name) {
  if (value.is_string()) return value.get<std::string>();
  return absl::InvalidArgumentError(absl::StrCat(name, " is ", Show(value), ", must be a string"));
}

absl::Status CheckArray(const Json& value, absl::string_view name) {
  if (value.is_array()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " is ", Show(value), ", must be an array"));
}

absl::StatusOr<std::string> ReadSha256(const Json& value, bool may_be_empty, absl::string_view name) {
  CLM_ASSIGN_OR_RETURN(std::string text, ReadString(value, name));
  const bool is_hex = std::all_of(text.begin(), text.end(),
                                  [](unsigned char c) { return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f'); });
  if ((text.empty() && may_be_empty) || (text.size() == 64 && is_hex)) return text;
  return absl::InvalidArgumentError(absl::StrCat(name, " is not 64 lower-case hex digits: ", Show(value)));
}

// What the layers of a file hold, before the table is checked as a whole.
struct Nodes {
  std::vector<UniverseLayer> layers;
  std::vector<uint64_t> frequencies;
};

absl::Status CheckNodeId(SymbolId id, SymbolId expected, uint32_t base_size, absl::string_view name) {
  if (id == expected) return absl::OkStatus();
  if (id < base_size) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": node_id ", id, " belongs to the base vocabulary, which ends at ", base_size));
  }
  if (id < expected) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": node_id ", id, " is used twice"));
  }
  return absl::InvalidArgumentError(absl::StrCat(name, ": node_id ", id, " leaves a gap, the next one is ", expected));
}

absl::Status ReadNode(const Json& node, SymbolId expected, uint32_t base_size, Nodes& nodes) {
  const size_t layer = nodes.layers.size();
  const std::string name = absl::StrCat("layer ", layer, " node ", nodes.layers.back().pairs.size());
  CLM_RETURN_IF_ERROR(CheckKeys(node, {"node_id", "expansion", "layer", "frequency"}, name));
  CLM_ASSIGN_OR_RETURN(const SymbolId id, ReadId(node["node_id"], absl::StrCat(name, ": node_id")));
  CLM_RETURN_IF_ERROR(CheckNodeId(id, expected, base_size, name));
  CLM_ASSIGN_OR_RETURN(const uint64_t own_layer, ReadInteger(node["layer"], kMaxSafeInteger, name + ": layer"));
  if (own_layer != layer) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": layer is ", own_layer, ", but it stands in layer ", layer));
  }
  const Json& expansion = node["expansion"];
  CLM_RETURN_IF_ERROR(CheckArray(expansion, name + ": expansion"));
  if (expansion.size() != 2) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": expansion has ", expansion.size(), " symbols, must have 2"));
  }
  SymbolPair pair;
  CLM_ASSIGN_OR_RETURN(pair.left, ReadId(expansion[0], name + ": expansion[0]"));
  CLM_ASSIGN_OR_RETURN(pair.right, ReadId(expansion[1], name + ": expansion[1]"));
  CLM_ASSIGN_OR_RETURN(const uint64_t frequency, ReadInteger(node["frequency"], kMaxSafeInteger, name + ": frequency"));
  nodes.layers.back().pairs.push_back(pair);
  nodes.frequencies.push_back(frequency);
  return absl::OkStatus();
}

absl::Status ReadLayer(const Json& layer, uint32_t base_size, Nodes& nodes) {
  nodes.layers.emplace_back();
  CLM_RETURN_IF_ERROR(CheckArray(layer, absl::StrCat("layer ", nodes.layers.size())));
  for (const Json& node : layer) {
    // Node ids were checked one by one, so this stays below 2^31 and one more.
    const uint64_t expected = uint64_t{base_size} + nodes.frequencies.size();
    CLM_RETURN_IF_ERROR(ReadNode(node, static_cast<SymbolId>(expected), base_size, nodes));
  }
  return absl::OkStatus();
}

absl::StatusOr<Nodes> ReadLayers(const Json& layers, uint32_t base_size) {
  CLM_RETURN_IF_ERROR(CheckArray(layers, "layers"));
  if (layers.size() > Universe::kMaxLayers) {
    return absl::InvalidArgumentError(
        absl::StrCat("layers has ", layers.size(), " entries, the limit is ", Universe::kMaxLayers));
  }
  Nodes nodes;
  for (const Json& layer : layers) CLM_RETURN_IF_ERROR(ReadLayer(layer, base_size, nodes));
  return nodes;
}

absl::StatusOr<std::vector<SymbolId>> ReadBoundaryIds(const Json& value) {
  CLM_RETURN_IF_ERROR(CheckArray(value, "boundary_ids"));
  std::vector<SymbolId> ids;
  for (const Json& entry : value) {
    CLM_ASSIGN_OR_RETURN(const SymbolId id, ReadId(entry, absl::StrCat("boundary_ids[", ids.size(), "]")));
    ids.push_back(id);
  }
  return ids;
}

absl::Status ReadJoinRules(const Json& value, std::vector<UniverseLayer>& layers) {
  CLM_RETURN_IF_ERROR(CheckArray(value, "join_rules"));
  if (value.size() != layers.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("join_rules has ", value.size(), " entries for ", layers.size(), " layers"));
  }
  for (size_t l = 0; l < layers.size(); ++l) {
    CLM_ASSIGN_OR_RETURN(const std::string rule, ReadString(value[l], absl::StrCat("join_rules[", l, "]")));
    CLM_ASSIGN_OR_RETURN(layers[l].rule, ParseJoinRule(rule));
  }
  return absl::OkStatus();
}

template <typename Integer>
absl::Status ReadOption(const Json& object, const char* key, Integer& value) {
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<Integer>::max());
  CLM_ASSIGN_OR_RETURN(const uint64_t number, ReadInteger(object[key], kMax, absl::StrCat("options.", key)));
  value = static_cast<Integer>(number);
  return absl::OkStatus();
}

absl::StatusOr<UniverseOptions> ReadOptions(const Json& object) {
  CLM_RETURN_IF_ERROR(CheckKeys(
      object,
      {"layers", "nodes_per_layer", "superword_layers", "superword_nodes_per_layer", "min_count", "selection_min_count",
       "active_min_count", "overlap", "strategy", "constraint", "max_expansion_length"},
      "options"));
  UniverseOptions options;
  CLM_RETURN_IF_ERROR(ReadOption(object, "layers", options.layers));
  CLM_RETURN_IF_ERROR(ReadOption(object, "nodes_per_layer", options.nodes_per_layer));
  CLM_RETURN_IF_ERROR(ReadOption(object, "superword_layers", options.superword_layers));
  CLM_RETURN_IF_ERROR(ReadOption(object, "superword_nodes_per_layer", options.superword_nodes_per_layer));
  CLM_RETURN_IF_ERROR(ReadOption(object, "min_count", options.min_count));
  CLM_RETURN_IF_ERROR(ReadOption(object, "selection_min_count", options.selection_min_count));
  CLM_RETURN_IF_ERROR(ReadOption(object, "active_min_count", options.active_min_count));
  CLM_RETURN_IF_ERROR(ReadOption(object, "max_expansion_length", options.max_expansion_length));
  CLM_ASSIGN_OR_RETURN(const std::string overlap, ReadString(object["overlap"], "options.overlap"));
  CLM_ASSIGN_OR_RETURN(options.overlap, ParsePairOverlap(overlap));
  CLM_ASSIGN_OR_RETURN(const std::string strategy, ReadString(object["strategy"], "options.strategy"));
  CLM_ASSIGN_OR_RETURN(options.strategy, ParsePairStrategy(strategy));
  CLM_ASSIGN_OR_RETURN(const std::string constraint, ReadString(object["constraint"], "options.constraint"));
  CLM_ASSIGN_OR_RETURN(options.constraint, ParseJoinRule(constraint));
  CLM_RETURN_IF_ERROR(options.Validate());
  return options;
}

absl::StatusOr<std::vector<UniverseLayerStats>> ReadStats(const Json& value, size_t layers) {
  CLM_RETURN_IF_ERROR(CheckArray(value, "stats"));
  if (value.size() != layers) {
    return absl::InvalidArgumentError(absl::StrCat("stats has ", value.size(), " entries for ", layers, " layers"));
  }
  std::vector<UniverseLayerStats> all;
  for (const Json& entry : value) {
    const std::string name = absl::StrCat("stats[", all.size(), "]");
    CLM_RETURN_IF_ERROR(CheckKeys(entry, {"candidates", "symbols_before", "symbols_after"}, name));
    UniverseLayerStats stats;
    CLM_ASSIGN_OR_RETURN(stats.candidates, ReadInteger(entry["candidates"], kMaxSafeInteger, name + ".candidates"));
    CLM_ASSIGN_OR_RETURN(stats.symbols_before,
                         ReadInteger(entry["symbols_before"], kMaxSafeInteger, name + ".symbols_before"));
    CLM_ASSIGN_OR_RETURN(stats.symbols_after,
                         ReadInteger(entry["symbols_after"], kMaxSafeInteger, name + ".symbols_after"));
    all.push_back(stats);
  }
  return all;
}

absl::Status CheckText(const Json& value, absl::string_view expected, absl::string_view name) {
  CLM_ASSIGN_OR_RETURN(const std::string text, ReadString(value, name));
  if (text == expected) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " is ", Show(value), ", this reader knows \"", expected, "\""));
}

absl::StatusOr<UniverseFile> ReadForeign(const Json& root) {
  CLM_RETURN_IF_ERROR(CheckKeys(root, {"version", "base_vocab_size", "layers"}, "universe without \"format\""));
  CLM_RETURN_IF_ERROR(CheckText(root["version"], kVersion, "version"));
  CLM_ASSIGN_OR_RETURN(const SymbolId base_size, ReadId(root["base_vocab_size"], "base_vocab_size"));
  if (base_size != kForeignBaseSize) {
    return absl::InvalidArgumentError(absl::StrCat("base_vocab_size of a universe without \"format\" is ", base_size,
                                                   ", must be ", kForeignBaseSize));
  }
  CLM_ASSIGN_OR_RETURN(Nodes nodes, ReadLayers(root["layers"], base_size));
  std::vector<UniverseLayerStats> stats(nodes.layers.size());
  CLM_ASSIGN_OR_RETURN(const Universe universe, Universe::Create(base_size, {}, std::move(nodes.layers)));
  return UniverseFile{.universe = universe,
                      .frequencies = std::move(nodes.frequencies),
                      .tokenizer_sha256 = "",
                      .options = {},
                      .stats = std::move(stats)};
}

absl::StatusOr<UniverseFile> ReadOwn(const Json& root) {
  CLM_RETURN_IF_ERROR(CheckKeys(root,
                                {"format", "version", "base_vocab_size", "boundary_ids", "tokenizer_sha256",
                                 "join_rules", "options", "stats", "content_sha256", "layers"},
                                "universe"));
  CLM_RETURN_IF_ERROR(CheckText(root["format"], kFormat, "format"));
  CLM_RETURN_IF_ERROR(CheckText(root["version"], kVersion, "version"));
  CLM_ASSIGN_OR_RETURN(const SymbolId base_size, ReadId(root["base_vocab_size"], "base_vocab_size"));
  CLM_ASSIGN_OR_RETURN(std::vector<SymbolId> boundary_ids, ReadBoundaryIds(root["boundary_ids"]));
  CLM_ASSIGN_OR_RETURN(std::string tokenizer, ReadSha256(root["tokenizer_sha256"], true, "tokenizer_sha256"));
  CLM_ASSIGN_OR_RETURN(const std::string content, ReadSha256(root["content_sha256"], false, "content_sha256"));
  CLM_ASSIGN_OR_RETURN(const UniverseOptions options, ReadOptions(root["options"]));
  CLM_ASSIGN_OR_RETURN(Nodes nodes, ReadLayers(root["layers"], base_size));
  CLM_RETURN_IF_ERROR(ReadJoinRules(root["join_rules"], nodes.layers));
  CLM_ASSIGN_OR_RETURN(std::vector<UniverseLayerStats> stats, ReadStats(root["stats"], nodes.layers.size()));
  CLM_ASSIGN_OR_RETURN(const Universe universe,
                       Universe::Create(base_size, std::move(boundary_ids), std::move(nodes.layers)));
  if (universe.content_sha256() != content) {
    return absl::DataLossError(
        absl::StrCat("content_sha256 is ", content, ", the table has ", universe.content_sha256()));
  }
  return UniverseFile{.universe = universe,
                      .frequencies = std::move(nodes.frequencies),
                      .tokenizer_sha256 = std::move(tokenizer),
                      .options = options,
                      .stats = std::move(stats)};
}

std::string FormatOptions(const UniverseOptions& options) {
  return absl::StrCat(
      "{\"layers\": ", options.layers, ", \"nodes_per_layer\": ", options.nodes_per_layer,
      ", \"superword_layers\": ", options.superword_layers,
      ", \"superword_nodes_per_layer\": ", options.superword_nodes_per_layer, ", \"min_count\": ", options.min_count,
      ", \"selection_min_count\": ", options.selection_min_count, ", \"active_min_count\": ", options.active_min_count,
      ", \"overlap\": \"", NameOf(options.overlap), "\", \"strategy\": \"", NameOf(options.strategy),
      "\", \"constraint\": \"", NameOf(options.constraint),
      "\", \"max_expansion_length\": ", options.max_expansion_length, "}");
}

std::string FormatLayers(const UniverseFile& file) {
  const Universe& universe = file.universe;
  std::string text = "[";
  for (int layer = 1; layer <= universe.layer_count(); ++layer) {
    absl::StrAppend(&text, layer == 1 ? "\n[" : ",\n[");
    SymbolId id = universe.FirstId(layer);
    for (const SymbolPair& pair : universe.Pairs(layer)) {
      absl::StrAppend(&text, id == universe.FirstId(layer) ? "\n" : ",\n", "{\"node_id\": ", id, ", \"expansion\": [",
                      pair.left, ", ", pair.right, "], \"layer\": ", layer);
      absl::StrAppend(&text, ", \"frequency\": ", file.frequencies[id - universe.base_size()], "}");
      ++id;
    }
    absl::StrAppend(&text, "\n]");
  }
  absl::StrAppend(&text, "\n]");
  return text;
}

}  // namespace

std::string FormatUniverse(const UniverseFile& file) {
  const Universe& universe = file.universe;
  CLM_CHECK(file.frequencies.size() == universe.vocab_size() - universe.base_size());
  CLM_CHECK(file.stats.size() == static_cast<size_t>(universe.layer_count()));
  std::vector<std::string> rules;
  std::vector<std::string> stats;
  for (int layer = 1; layer <= universe.layer_count(); ++layer) {
    const UniverseLayerStats& entry = file.stats[static_cast<size_t>(layer) - 1];
    rules.push_back(absl::StrCat("\"", NameOf(universe.Rule(layer)), "\""));
    stats.push_back(absl::StrCat("{\"candidates\": ", entry.candidates, ", \"symbols_before\": ", entry.symbols_before,
                                 ", \"symbols_after\": ", entry.symbols_after, "}"));
  }
  return absl::StrCat("{\n\"format\": \"", kFormat, "\",\n\"version\": \"", kVersion,
                      "\",\n\"base_vocab_size\": ", universe.base_size(), ",\n\"boundary_ids\": [",
                      absl::StrJoin(universe.boundary_ids(), ", "), "],\n\"tokenizer_sha256\": \"",
                      file.tokenizer_sha256, "\",\n\"join_rules\": [", absl::StrJoin(rules, ", "),
                      "],\n\"options\": ", FormatOptions(file.options), ",\n\"stats\": [", absl::StrJoin(stats, ", "),
                      "],\n\"content_sha256\": \"", universe.content_sha256(), "\",\n\"layers\": ", FormatLayers(file),
                      "\n}\n");
}

absl::StatusOr<UniverseFile> ParseUniverse(absl::string_view text) {
  // A node is an object of four values, one of them an array of two.
  const JsonLimits limits = {
      .max_bytes = kMaxUniverseFileBytes, .max_depth = 5, .max_values = 7 * UniverseLimits().max_coordinates + 4096};
  CLM_ASSIGN_OR_RETURN(const Json root, ParseStrictJson(text, limits));
  if (!root.is_object()) return absl::InvalidArgumentError("universe is not an object");
  return root.contains("format") ? ReadOwn(root) : ReadForeign(root);
}

absl::Status WriteUniverse(FileSystem& files, const std::string& path, const UniverseFile& file) {
  return WriteFileAtomically(files, path, FormatUniverse(file));
}

absl::StatusOr<UniverseFile> ReadUniverse(const FileSystem& files, const std::string& path) {
  CLM_ASSIGN_OR_RETURN(const std::string text, ReadFile(files, path, kMaxUniverseFileBytes));
  return ParseUniverse(text);
}

}  // namespace clm
