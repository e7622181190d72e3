#include "core/tokenizer/merges_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/strict_json.h"
#include "core/text/utf8.h"
#include "core/tokenizer/gpt2_alphabet.h"
#include "core/tokenizer/json_fields.h"
#include "core/tokenizer/tokenizer_model.h"

namespace clm {
namespace {

using tokenizer_json::InFile;
using tokenizer_json::Json;

constexpr absl::string_view kVersionLine = "#version";
constexpr JsonLimits kVocabLimits{kMaxTokenizerFileBytes, 2, kMaxBpeVocabSize + 1};

absl::StatusOr<Json> ReadLines(absl::string_view text) {
  if (text.size() > kMaxTokenizerFileBytes) {
    return tokenizer_json::TooMany("merges.txt", text.size(), "bytes", kMaxTokenizerFileBytes);
  }
  if (const absl::Status valid = ValidateUtf8(text); !valid.ok()) return InFile("merges.txt", valid);
  Json merges = Json::array();
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    absl::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (absl::EndsWith(line, "\r")) line.remove_suffix(1);
    if (absl::StartsWith(line, kVersionLine) || (line.empty() && text.empty())) continue;
    if (merges.size() == kMaxBpeMerges) {
      return absl::ResourceExhaustedError(absl::StrCat("merges.txt has more than ", kMaxBpeMerges, " merges"));
    }
    merges.push_back(std::string(line));
  }
  return merges;
}

absl::StatusOr<Json> AddedTokensOf(const MergesFileOptions& options, const Json& vocab) {
  Json added = Json::array();
  size_t next = vocab.size();
  for (const std::string& text : options.specials) {
    if (!IsJsonText(text)) return absl::InvalidArgumentError("a special token is not valid UTF-8");
    const auto found = vocab.find(text);
    added.push_back({{"content", text}, {"special", true}});
    added.back()["id"] = found != vocab.end() ? *found : Json(next);
    if (found == vocab.end()) ++next;
  }
  return added;
}

absl::StatusOr<BpeVocab> Parse(absl::string_view vocab_json, absl::string_view merges_txt,
                               const MergesFileOptions& options) {
  absl::StatusOr<Json> vocab = ParseStrictJson(vocab_json, kVocabLimits);
  if (!vocab.ok()) return InFile("vocab.json", vocab.status());
  if (!vocab->is_object()) return absl::InvalidArgumentError("vocab.json is not a JSON object");
  Json file;
  CLM_ASSIGN_OR_RETURN(file["added_tokens"], AddedTokensOf(options, *vocab));
  CLM_ASSIGN_OR_RETURN(file["model"]["merges"], ReadLines(merges_txt));
  file["model"]["vocab"] = *std::move(vocab);
  return ReadTokenizerModel(file, options.boundary);
}

}  // namespace

absl::StatusOr<TokenizerDefinition> ParseMergesFiles(absl::string_view vocab_json, absl::string_view merges_txt,
                                                     const MergesFileOptions& options) {
  CLM_RETURN_IF_ERROR(MakePretokenizer(options.pattern).status());
  absl::StatusOr<BpeVocab> vocab = Parse(vocab_json, merges_txt, options);
  if (!vocab.ok()) return InFile("vocab.json and merges.txt", vocab.status());
  return TokenizerDefinition{*std::move(vocab), options.pattern, {}};
}

absl::StatusOr<MergesFiles> WriteMergesFiles(const BpeVocab& vocab) {
  if (!vocab.cut_tokens().empty() || !vocab.whole_pieces().empty()) {
    return absl::InvalidArgumentError(
        "vocab.json and merges.txt cannot say that tokens are cut out of text, or are whole pieces");
  }
  if (vocab.has_superwords()) {
    return absl::InvalidArgumentError(
        "vocab.json and merges.txt cannot say that merges reach over pieces (superwords)");
  }
  CLM_ASSIGN_OR_RETURN(const TokenizerSpelling spelling, SpellTokenizer(vocab));
  MergesFiles files;
  const char* separator = "{";
  for (SymbolId id = 0; id < vocab.size(); ++id) {
    if (spelling.keys[id].empty()) continue;
    absl::StrAppend(&files.vocab_json, separator, Json(spelling.keys[id]).dump(), ":", id);
    separator = ",";
  }
  files.vocab_json += "}\n";
  files.merges_txt = "#version: 0.2\n";
  for (const BpeMerge& merge : vocab.merges()) {
    const std::string left = ToGpt2Alphabet(vocab.TokenBytes(merge.left));
    if (absl::StartsWith(left, kVersionLine)) {
      return absl::InvalidArgumentError(
          absl::StrCat("merges.txt cannot say a merge that begins with \"", kVersionLine, "\""));
    }
    absl::StrAppend(&files.merges_txt, left, " ", ToGpt2Alphabet(vocab.TokenBytes(merge.right)), "\n");
  }
  if (std::max(files.vocab_json.size(), files.merges_txt.size()) <= kMaxTokenizerFileBytes) return files;
  return absl::ResourceExhaustedError(absl::StrCat("a file would have more than ", kMaxTokenizerFileBytes, " bytes"));
}

}  // namespace clm
