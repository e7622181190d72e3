#include "core/tokenizer/tokenizer_file.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/strict_json.h"
#include "core/tokenizer/json_fields.h"
#include "core/tokenizer/tokenizer_model.h"
#include "core/tokenizer/tokenizer_pipeline.h"

namespace clm {
namespace {

// Vocabulary, merges as pairs (an array and two strings each), added tokens with eight values each, the rest.
constexpr JsonLimits kJsonLimits{kMaxTokenizerFileBytes, 16,
                                 kMaxBpeVocabSize + 3 * kMaxBpeMerges + 8 * kMaxBpeSpecials + 100'000};

absl::StatusOr<TokenizerDefinition> Parse(absl::string_view json, const TokenizerFileOptions& options) {
  CLM_ASSIGN_OR_RETURN(const nlohmann::json file, ParseStrictJson(json, kJsonLimits));
  return ReadTokenizerDocument(file, options);
}

absl::Status CheckWrittenSize(size_t bytes) {
  if (bytes <= kMaxTokenizerFileBytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("tokenizer.json would have ", bytes, " bytes or more; limit ", kMaxTokenizerFileBytes));
}

}  // namespace

absl::StatusOr<TokenizerDefinition> ReadTokenizerDocument(const nlohmann::json& file,
                                                          const TokenizerFileOptions& options) {
  CLM_ASSIGN_OR_RETURN(TokenizerPipeline pipeline, ReadTokenizerPipeline(file));
  CLM_ASSIGN_OR_RETURN(BpeVocab vocab, ReadTokenizerModel(file, options.boundary));
  return TokenizerDefinition{std::move(vocab), std::move(pipeline.pattern), std::move(pipeline.not_applied)};
}

absl::StatusOr<TokenizerDefinition> ParseTokenizerJson(absl::string_view json, const TokenizerFileOptions& options) {
  absl::StatusOr<TokenizerDefinition> definition = Parse(json, options);
  if (!definition.ok()) return tokenizer_json::InFile("tokenizer.json", definition.status());
  return definition;
}

absl::StatusOr<std::string> WriteTokenizerJson(const BpeVocab& vocab, absl::string_view pattern) {
  size_t token_bytes = 0;
  for (SymbolId id = 0; id < vocab.size(); ++id) token_bytes += vocab.TokenBytes(id).size();
  CLM_RETURN_IF_ERROR(CheckWrittenSize(token_bytes));
  CLM_ASSIGN_OR_RETURN(const std::string pre_tokenizer, PreTokenizerJson(pattern));
  CLM_ASSIGN_OR_RETURN(const TokenizerSpelling spelling, SpellTokenizer(vocab));
  std::string out = absl::StrCat(R"({"version":")", vocab.has_superwords() ? kSuperwordFileVersion : "1.0",
                                 R"(","truncation":null,"padding":null,"added_tokens":)");
  AppendAddedTokens(spelling, out);
  absl::StrAppend(&out, R"(,"normalizer":null,"pre_tokenizer":)", pre_tokenizer,
                  R"(,"post_processor":null,"decoder":{"type":"ByteLevel","add_prefix_space":false,)",
                  R"("trim_offsets":true,"use_regex":true},"model":)");
  AppendModel(vocab, spelling, out);
  if (vocab.has_superwords()) {
    out += R"(,"superwords":)";
    AppendSuperwords(vocab, out);
  }
  out += "}\n";
  CLM_RETURN_IF_ERROR(CheckWrittenSize(out.size()));
  return out;
}

}  // namespace clm
