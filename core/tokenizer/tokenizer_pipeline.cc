#include "core/tokenizer/tokenizer_pipeline.h"

#include <vector>

#include "core/base/status_macros.h"
#include "core/text/pretokenizer.h"
#include "core/tokenizer/json_fields.h"

namespace clm {
namespace {

using tokenizer_json::CheckKeys;
using tokenizer_json::Field;
using tokenizer_json::IsSet;
using tokenizer_json::Json;
using tokenizer_json::Quoted;
using tokenizer_json::Refused;
using tokenizer_json::TypeOf;

// Steps of a component that may be a Sequence under `list_key`: itself otherwise; none for null.
absl::StatusOr<std::vector<const Json*>> StepsOf(const Json& component, absl::string_view name, const char* list_key) {
  std::vector<const Json*> steps;
  if (component.is_null()) return steps;
  if (!component.is_object()) return Refused(name, "is neither null nor an object");
  if (TypeOf(component) != "Sequence") {
    steps.push_back(&component);
    return steps;
  }
  const Json& list = Field(component, list_key);
  if (!list.is_array()) return Refused(name, absl::StrCat("is a Sequence without a list \"", list_key, "\""));
  for (const Json& step : list) {
    if (!step.is_object()) return Refused(name, "has a step that is not an object");
    steps.push_back(&step);
  }
  return steps;
}

absl::Status CheckNormalizer(const Json& normalizer) {
  CLM_ASSIGN_OR_RETURN(const std::vector<const Json*> steps, StepsOf(normalizer, "normalizer", "normalizers"));
  if (steps.empty()) return absl::OkStatus();
  return Refused("normalizer",
                 absl::StrCat(Quoted(TypeOf(*steps[0])), " changes the text, so bytes would not come back"));
}

// The split pattern that a ByteLevel step applies itself.
absl::StatusOr<std::string> ByteLevelPattern(const Json& step) {
  CLM_RETURN_IF_ERROR(CheckKeys(step, "pre_tokenizer", {"type", "add_prefix_space", "trim_offsets", "use_regex"}));
  const Json& prefix_space = Field(step, "add_prefix_space");
  if (!prefix_space.is_boolean()) return Refused("pre_tokenizer", "ByteLevel lacks add_prefix_space");
  if (prefix_space.get<bool>()) {
    return Refused("pre_tokenizer", "ByteLevel has add_prefix_space, a space that decoding cannot take back");
  }
  const Json& use_regex = Field(step, "use_regex");
  if (!use_regex.is_null() && !use_regex.is_boolean()) return Refused("pre_tokenizer", "use_regex is not a boolean");
  const bool splits = use_regex.is_null() || use_regex.get<bool>();
  return std::string(splits ? kGpt2Pattern : kWholeDocumentPattern);
}

absl::StatusOr<std::string> SplitPattern(const Json& step) {
  CLM_RETURN_IF_ERROR(CheckKeys(step, "pre_tokenizer", {"type", "pattern", "behavior", "invert"}));
  const Json& pattern = Field(step, "pattern");
  if (!pattern.is_object() || !Field(pattern, "Regex").is_string()) {
    return Refused("pre_tokenizer", "Split does not name a Regex");
  }
  if (Field(step, "behavior") != "Isolated") {
    return Refused("pre_tokenizer", absl::StrCat("Split has behavior ", Quoted(Field(step, "behavior").dump()),
                                                 "; only Isolated keeps every byte in a piece of its own kind"));
  }
  if (IsSet(Field(step, "invert"))) return Refused("pre_tokenizer", "Split is inverted");
  auto regex = Field(pattern, "Regex").get<std::string>();
  if (const auto known = MakePretokenizer(regex); !known.ok() || regex.empty()) {
    return known.ok() ? Refused("pre_tokenizer", "Split has an empty Regex") : known.status();
  }
  return regex;
}

absl::StatusOr<std::string> ReadPattern(const Json& pre_tokenizer) {
  CLM_ASSIGN_OR_RETURN(const std::vector<const Json*> steps, StepsOf(pre_tokenizer, "pre_tokenizer", "pretokenizers"));
  if (steps.empty()) return Refused("pre_tokenizer", "is missing: without ByteLevel the tokens are not bytes");
  std::string pattern(kWholeDocumentPattern);
  for (size_t i = 0; i < steps.size(); ++i) {
    const std::string type = TypeOf(*steps[i]);
    const bool is_last = i + 1 == steps.size();
    if (is_last && type == "ByteLevel") {
      CLM_ASSIGN_OR_RETURN(const std::string own, ByteLevelPattern(*steps[i]));
      if (i == 0) return own;
      if (own != kWholeDocumentPattern)
        return Refused("pre_tokenizer", "splits twice: Split, then ByteLevel use_regex");
      return pattern;
    }
    if (type != "Split" || i != 0 || is_last) {
      return Refused("pre_tokenizer", absl::StrCat(Quoted(type), " at step ", i,
                                                   " is not supported; known: ByteLevel, or Split and then ByteLevel"));
    }
    CLM_ASSIGN_OR_RETURN(pattern, SplitPattern(*steps[i]));
  }
  return pattern;
}

absl::Status CheckDecoder(const Json& decoder) {
  CLM_ASSIGN_OR_RETURN(const std::vector<const Json*> steps, StepsOf(decoder, "decoder", "decoders"));
  if (steps.empty() || (steps.size() == 1 && TypeOf(*steps[0]) == "ByteLevel")) return absl::OkStatus();
  return Refused("decoder", absl::StrCat(Quoted(TypeOf(*steps[0])), " is not ByteLevel"));
}

// A TemplateProcessing that adds nothing is the one text itself.
bool AddsNothing(const Json& step) {
  if (TypeOf(step) == "ByteLevel") return true;  // moves offsets only
  if (TypeOf(step) != "TemplateProcessing" || !Field(step, "single").is_array()) return false;
  const Json& single = Field(step, "single");
  return single.size() == 1 && single[0].is_object() && single[0].contains("Sequence");
}

absl::Status CheckPostProcessor(const Json& post_processor) {
  CLM_ASSIGN_OR_RETURN(const std::vector<const Json*> steps, StepsOf(post_processor, "post_processor", "processors"));
  for (const Json* step : steps) {
    if (!AddsNothing(*step)) {
      return Refused("post_processor", absl::StrCat(Quoted(TypeOf(*step)), " adds tokens to the text"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadTokenizerPipeline(const Json& file) {
  if (!file.is_object()) return absl::InvalidArgumentError("tokenizer.json is not a JSON object");
  CLM_RETURN_IF_ERROR(CheckKeys(file, "the file",
                                {"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
                                 "post_processor", "decoder", "model"}));
  if (const Json& version = Field(file, "version"); !version.is_null() && version != "1.0") {
    return Refused("version", absl::StrCat("is ", Quoted(version.dump()), "; known: 1.0"));
  }
  if (!Field(file, "truncation").is_null()) return Refused("truncation", "is set: it drops text");
  if (!Field(file, "padding").is_null()) return Refused("padding", "is set: it adds tokens");
  CLM_RETURN_IF_ERROR(CheckNormalizer(Field(file, "normalizer")));
  CLM_RETURN_IF_ERROR(CheckPostProcessor(Field(file, "post_processor")));
  CLM_RETURN_IF_ERROR(CheckDecoder(Field(file, "decoder")));
  return ReadPattern(Field(file, "pre_tokenizer"));
}

}  // namespace clm
