#include "core/tokenizer/tokenizer_pipeline.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/text/pretokenizer.h"
#include "core/text/pretokenizer_chain.h"
#include "core/text/regex_dialect.h"
#include "core/text/split_rules.h"
#include "core/tokenizer/json_fields.h"

namespace clm {
namespace {

using tokenizer_json::CheckKeys;
using tokenizer_json::Field;
using tokenizer_json::IsTrue;
using tokenizer_json::Json;
using tokenizer_json::Quoted;
using tokenizer_json::Refused;
using tokenizer_json::TypeOf;

// Rust's char::is_numeric, and ASCII punctuation or category P.
constexpr absl::string_view kDigit = R"(\p{N})";
constexpr absl::string_view kPunctuation = R"([!-/:-@\[-`{-~\p{P}])";

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

// ---- normalizer, decoder, post-processor ----

absl::Status ReadNormalizer(const Json& normalizer, std::vector<std::string>& not_applied) {
  CLM_ASSIGN_OR_RETURN(const std::vector<const Json*> steps, StepsOf(normalizer, "normalizer", "normalizers"));
  for (const Json* step : steps) {
    if (TypeOf(*step) != "NFC") {
      return Refused("normalizer",
                     absl::StrCat(Quoted(TypeOf(*step)), " changes the text, so bytes would not come back"));
    }
  }
  if (!steps.empty()) {
    not_applied.emplace_back(
        "normalizer NFC is not applied: text that is not in NFC keeps its bytes and gets ids of its own");
  }
  return absl::OkStatus();
}

absl::Status CheckDecoder(const Json& decoder) {
  CLM_ASSIGN_OR_RETURN(const std::vector<const Json*> steps, StepsOf(decoder, "decoder", "decoders"));
  if (steps.empty() || (steps.size() == 1 && TypeOf(*steps[0]) == "ByteLevel")) return absl::OkStatus();
  return Refused("decoder", absl::StrCat(Quoted(TypeOf(*steps[0])), " is not ByteLevel"));
}

// Those that only put special tokens around a text; ByteLevel moves offsets.
absl::Status ReadPostProcessor(const Json& post_processor, std::vector<std::string>& not_applied) {
  CLM_ASSIGN_OR_RETURN(const std::vector<const Json*> steps, StepsOf(post_processor, "post_processor", "processors"));
  for (const Json* step : steps) {
    const std::string type = TypeOf(*step);
    if (type == "ByteLevel") continue;
    if (type != "TemplateProcessing" && type != "RobertaProcessing" && type != "BertProcessing") {
      return Refused("post_processor", absl::StrCat(Quoted(type), " is not known"));
    }
    not_applied.push_back(absl::StrCat(
        "post_processor ", type, " is not applied: ids are those of the text alone, without special tokens around"));
  }
  return absl::OkStatus();
}

// ---- pre-tokenizer ----

// Whether the ByteLevel step applies GPT-2's pattern itself.
absl::StatusOr<bool> ByteLevelSplits(const Json& step) {
  CLM_RETURN_IF_ERROR(CheckKeys(step, "pre_tokenizer", {"type", "add_prefix_space", "trim_offsets", "use_regex"}));
  const Json& prefix_space = Field(step, "add_prefix_space");
  if (!prefix_space.is_boolean()) return Refused("pre_tokenizer", "ByteLevel lacks add_prefix_space");
  if (prefix_space.get<bool>()) {
    return Refused("pre_tokenizer", "ByteLevel has add_prefix_space, a space that decoding cannot take back");
  }
  const Json& use_regex = Field(step, "use_regex");
  if (!use_regex.is_null() && !use_regex.is_boolean()) return Refused("pre_tokenizer", "use_regex is not a boolean");
  return use_regex.is_null() || use_regex.get<bool>();
}

// A pattern that matches `text` itself.
std::string Literal(absl::string_view text) {
  std::string pattern;
  for (const char c : text) {
    // \< and \> are word boundaries to some.
    if (absl::ascii_ispunct(static_cast<uint8_t>(c)) && c != '<' && c != '>') pattern.push_back('\\');
    pattern.push_back(c);
  }
  return pattern;
}

absl::StatusOr<std::string> SplitRegex(const Json& step) {
  const Json& pattern = Field(step, "pattern");
  if (!pattern.is_object()) return Refused("pre_tokenizer", "Split has no pattern");
  const Json& regex = Field(pattern, "Regex");
  const Json& literal = Field(pattern, "String");
  if (regex.is_string() == literal.is_string()) return Refused("pre_tokenizer", "Split names neither Regex nor String");
  const auto& text = (regex.is_string() ? regex : literal).get_ref<const std::string&>();
  if (text.empty()) return Refused("pre_tokenizer", "Split has an empty pattern");
  if (absl::StrContains(text, kSplitStepSeparator)) {
    return Refused("pre_tokenizer", "Split has a pattern with the character U+001E; spell it \\x1E");
  }
  absl::StatusOr<std::string> shared =
      ToSharedRegex(literal.is_string() ? Literal(text) : text, RegexDialect::kTokenizers);
  if (!shared.ok()) return tokenizer_json::InFile("pre_tokenizer", shared.status());
  return shared;
}

absl::StatusOr<std::string> ReadSplit(const Json& step) {
  CLM_RETURN_IF_ERROR(CheckKeys(step, "pre_tokenizer", {"type", "pattern", "behavior", "invert"}));
  CLM_ASSIGN_OR_RETURN(std::string pattern, SplitRegex(step));
  const Json& invert = Field(step, "invert");
  if (!invert.is_null() && !invert.is_boolean()) return Refused("pre_tokenizer", "Split has invert that is no boolean");
  const Json& behavior = Field(step, "behavior");
  if (behavior == "Isolated") return pattern;  // match or not, everything becomes a piece: invert changes nothing
  // Dropping what does not match drops nothing where everything matches.
  if (behavior == "Removed" && IsTrue(invert) && KnownSplitRules(pattern).has_value()) return pattern;
  return Refused("pre_tokenizer",
                 absl::StrCat("Split has behavior ", Quoted(behavior.dump()), IsTrue(invert) ? " and is inverted" : "",
                              "; only Isolated keeps every byte"));
}

absl::StatusOr<std::string> ReadDigits(const Json& step) {
  CLM_RETURN_IF_ERROR(CheckKeys(step, "pre_tokenizer", {"type", "individual_digits"}));
  const Json& individual = Field(step, "individual_digits");
  if (!individual.is_null() && !individual.is_boolean()) {
    return Refused("pre_tokenizer", "Digits has individual_digits that is no boolean");
  }
  return absl::StrCat(kDigit, IsTrue(individual) ? "" : "+");
}

absl::StatusOr<std::string> ReadPunctuation(const Json& step) {
  CLM_RETURN_IF_ERROR(CheckKeys(step, "pre_tokenizer", {"type", "behavior"}));
  const Json& behavior = Field(step, "behavior");
  if (behavior.is_null() || behavior == "Isolated") return std::string(kPunctuation);
  if (behavior == "Contiguous") return absl::StrCat(kPunctuation, "+");
  return Refused("pre_tokenizer",
                 absl::StrCat("Punctuation has behavior ", Quoted(behavior.dump()), "; known: Isolated, Contiguous"));
}

absl::StatusOr<std::string> ReadSplittingStep(const Json& step, size_t index) {
  const std::string type = TypeOf(step);
  if (type == "Split") return ReadSplit(step);
  if (type == "Digits") return ReadDigits(step);
  if (type == "Punctuation") return ReadPunctuation(step);
  return Refused("pre_tokenizer",
                 absl::StrCat(Quoted(type), " at step ", index,
                              " is not supported; known: Split, Digits, Punctuation, and ByteLevel at the end"));
}

absl::StatusOr<std::string> ReadPattern(const Json& pre_tokenizer) {
  CLM_ASSIGN_OR_RETURN(const std::vector<const Json*> steps, StepsOf(pre_tokenizer, "pre_tokenizer", "pretokenizers"));
  if (steps.empty() || TypeOf(*steps.back()) != "ByteLevel") {
    return Refused("pre_tokenizer", "does not end with ByteLevel: without it the tokens are not bytes");
  }
  if (steps.size() > kMaxSplitSteps) {
    return tokenizer_json::TooMany("pre_tokenizer", steps.size(), "steps", kMaxSplitSteps);
  }
  std::vector<std::string> patterns;
  for (size_t i = 0; i + 1 < steps.size(); ++i) {
    CLM_ASSIGN_OR_RETURN(patterns.emplace_back(), ReadSplittingStep(*steps[i], i));
  }
  CLM_ASSIGN_OR_RETURN(const bool splits, ByteLevelSplits(*steps.back()));
  if (splits) patterns.emplace_back(kGpt2Pattern);
  std::string pattern = absl::StrJoin(patterns, std::string(1, kSplitStepSeparator));
  const absl::Status known = MakePretokenizer(pattern).status();
  if (!known.ok()) return tokenizer_json::InFile("pre_tokenizer", known);
  return pattern;
}

absl::string_view ByteLevelJson(bool use_regex) {
  return use_regex ? R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true})"
                   : R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false})";
}

absl::Status CheckVersion(const Json& file) {
  CLM_RETURN_IF_ERROR(CheckKeys(file, "the file",
                                {"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
                                 "post_processor", "decoder", "model", "superwords"}));
  const Json& version = Field(file, "version");
  const bool has_superwords = file.contains("superwords");
  const bool is_known = has_superwords ? version == kSuperwordFileVersion : version.is_null() || version == "1.0";
  if (is_known) return absl::OkStatus();
  return Refused("version", absl::StrCat("is ", Quoted(version.dump()), "; known: 1.0, and with superwords ",
                                         kSuperwordFileVersion));
}

}  // namespace

absl::StatusOr<TokenizerPipeline> ReadTokenizerPipeline(const Json& file) {
  if (!file.is_object()) return absl::InvalidArgumentError("not a JSON object");
  CLM_RETURN_IF_ERROR(CheckVersion(file));
  if (!Field(file, "truncation").is_null()) return Refused("truncation", "is set: it drops text");
  if (!Field(file, "padding").is_null()) return Refused("padding", "is set: it adds tokens");
  TokenizerPipeline pipeline;
  CLM_RETURN_IF_ERROR(ReadNormalizer(Field(file, "normalizer"), pipeline.not_applied));
  CLM_RETURN_IF_ERROR(ReadPostProcessor(Field(file, "post_processor"), pipeline.not_applied));
  CLM_RETURN_IF_ERROR(CheckDecoder(Field(file, "decoder")));
  CLM_ASSIGN_OR_RETURN(pipeline.pattern, ReadPattern(Field(file, "pre_tokenizer")));
  return pipeline;
}

absl::StatusOr<std::string> PreTokenizerJson(absl::string_view pattern) {
  CLM_RETURN_IF_ERROR(MakePretokenizer(pattern).status());
  std::vector<absl::string_view> steps = absl::StrSplit(pattern, kSplitStepSeparator);
  const bool use_regex = steps.back() == kGpt2Pattern;
  if (use_regex || pattern == kWholeDocumentPattern) steps.pop_back();
  if (steps.empty()) return std::string(ByteLevelJson(use_regex));
  std::string out = R"({"type":"Sequence","pretokenizers":[)";
  for (const absl::string_view step : steps) {
    // Known patterns may be spelt as only tiktoken would understand them.
    absl::StatusOr<std::string> shared = ToSharedRegex(step, RegexDialect::kShared);
    if (!shared.ok()) shared = ToSharedRegex(step, RegexDialect::kTiktoken);
    if (!shared.ok()) return shared.status();
    absl::StrAppend(&out, R"({"type":"Split","pattern":{"Regex":)", Json(*std::move(shared)).dump(),
                    R"(},"behavior":"Isolated","invert":false},)");
  }
  absl::StrAppend(&out, ByteLevelJson(use_regex), "]}");
  return out;
}

}  // namespace clm
