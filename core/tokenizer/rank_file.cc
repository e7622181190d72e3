#include "core/tokenizer/rank_file.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/text/pretokenizer.h"
#include "core/text/regex_dialect.h"
#include "core/tokenizer/json_fields.h"
#include "core/tokenizer/rank_merges.h"
#include "core/tokenizer/whole_pieces.h"

namespace clm {
namespace {

using tokenizer_json::Quoted;

// ---- known encodings (openai/tiktoken, tiktoken_ext/openai_public.py: ids and spellings) ----

struct KnownSpecial {
  absl::string_view text;
  SymbolId id;
};

struct KnownEncoding {
  absl::string_view name;
  absl::string_view pattern;             // as tiktoken reads it
  std::array<KnownSpecial, 5> specials;  // those with a text
};

constexpr absl::string_view kEnd = "<|endoftext|>";
// White space at the end of a text is one piece, which the pattern of the same name in other programs does not say.
constexpr absl::string_view kTiktokenCl100k =
    R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)";

constexpr std::array<KnownEncoding, 7> kEncodings = {{
    {"gpt2", kGpt2Pattern, {{{kEnd, 50256}}}},
    {"r50k_base", kGpt2Pattern, {{{kEnd, 50256}}}},
    {"p50k_base", kGpt2Pattern, {{{kEnd, 50256}}}},
    {"p50k_edit",
     kGpt2Pattern,
     {{{kEnd, 50256}, {"<|fim_prefix|>", 50281}, {"<|fim_middle|>", 50282}, {"<|fim_suffix|>", 50283}}}},
    {"cl100k_base",
     kTiktokenCl100k,
     {{{kEnd, 100257},
       {"<|fim_prefix|>", 100258},
       {"<|fim_middle|>", 100259},
       {"<|fim_suffix|>", 100260},
       {"<|endofprompt|>", 100276}}}},
    {"o200k_base", kO200kPattern, {{{kEnd, 199999}, {"<|endofprompt|>", 200018}}}},
    {"o200k_harmony",
     kO200kPattern,
     {{{"<|startoftext|>", 199998}, {kEnd, 199999}, {"<|return|>", 200002}, {"<|constrain|>", 200003}}}},
}};

// The rest of o200k_harmony: named ones, then <|reserved_ID|> up to 201087.
void AddHarmonySpecials(std::vector<BpeSpecial>& specials) {
  constexpr SymbolId kFirst = 200000;
  constexpr SymbolId kEndOfIds = 201088;
  // tiktoken also reads <|reserved_200018|> as <|endofprompt|>.
  constexpr std::array<KnownSpecial, 6> kNamed = {{{"<|channel|>", 200005},
                                                   {"<|start|>", 200006},
                                                   {"<|end|>", 200007},
                                                   {"<|message|>", 200008},
                                                   {"<|call|>", 200012},
                                                   {"<|endofprompt|>", 200018}}};
  for (const KnownSpecial& special : kNamed) specials.push_back({special.id, std::string(special.text)});
  for (SymbolId id = kFirst; id < kEndOfIds; ++id) {
    const bool named =
        std::any_of(specials.begin(), specials.end(), [id](const BpeSpecial& special) { return special.id == id; });
    if (!named) specials.push_back({id, absl::StrCat("<|reserved_", id, "|>")});
  }
}

struct Settings {
  std::string pattern;
  std::vector<BpeSpecial> specials;
};

absl::StatusOr<Settings> SettingsOf(const RankFileOptions& options) {
  Settings settings;
  settings.specials = options.specials;
  absl::string_view pattern = options.pattern;
  if (!options.encoding.empty()) {
    const auto known = std::find_if(kEncodings.begin(), kEncodings.end(), [&options](const KnownEncoding& encoding) {
      return encoding.name == options.encoding;
    });
    if (known == kEncodings.end()) {
      std::string names;
      for (const KnownEncoding& encoding : kEncodings)
        absl::StrAppend(&names, names.empty() ? "" : ", ", encoding.name);
      return absl::InvalidArgumentError(
          absl::StrCat("encoding ", Quoted(options.encoding), " is not known; known: ", names));
    }
    if (!pattern.empty()) return absl::InvalidArgumentError("both an encoding and a split pattern are given");
    pattern = known->pattern;
    for (const KnownSpecial& special : known->specials) {
      if (!special.text.empty()) settings.specials.push_back({special.id, std::string(special.text)});
    }
    if (known->name == "o200k_harmony") AddHarmonySpecials(settings.specials);
  }
  CLM_ASSIGN_OR_RETURN(settings.pattern, ToSharedRegex(pattern, RegexDialect::kTiktoken));
  CLM_RETURN_IF_ERROR(MakePretokenizer(settings.pattern).status());
  return settings;
}

// ---- the file ----

absl::Status BadLine(size_t line, absl::string_view reason, absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, " ", reason, ": ", Quoted(text)));
}

// Adds the token of one line.
absl::Status ReadLine(absl::string_view text, size_t line, std::vector<std::string>& tokens) {
  const size_t space = text.find(' ');
  if (space == absl::string_view::npos) return BadLine(line, "is not a token in base64, a space and a rank", text);
  const absl::string_view base64 = text.substr(0, space);
  std::string bytes;
  // Unescaping forgives missing padding and blanks; escaping again tells.
  if (!absl::Base64Unescape(base64, &bytes) || absl::Base64Escape(bytes) != base64 || bytes.empty()) {
    return BadLine(line, "has a token that is not base64", text);
  }
  uint32_t rank = 0;
  const absl::string_view digits = text.substr(space + 1);
  const bool is_number = !digits.empty() && std::all_of(digits.begin(), digits.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<uint8_t>(c));
  });
  if (!is_number) return BadLine(line, "has a rank that is not a number >= 0", text);
  if (!absl::SimpleAtoi(digits, &rank) || rank >= kMaxBpeVocabSize) {
    return absl::ResourceExhaustedError(
        absl::StrCat("line ", line, " has a rank above the limit ", kMaxBpeVocabSize - 1, ": ", Quoted(text)));
  }
  if (rank >= tokens.size()) tokens.resize(size_t{rank} + 1);
  if (!tokens[rank].empty()) return BadLine(line, "has the rank of a line before it", text);
  tokens[rank] = std::move(bytes);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> ReadLines(absl::string_view text) {
  if (text.size() > kMaxRankFileBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("has ", text.size(), " bytes; limit ", kMaxRankFileBytes));
  }
  if (absl::StartsWith(text, "\x1F\x8B")) return absl::InvalidArgumentError("is compressed with gzip: unpack it first");
  std::vector<std::string> tokens;
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    const absl::string_view content = absl::StripTrailingAsciiWhitespace(text.substr(0, end));
    if (!content.empty()) CLM_RETURN_IF_ERROR(ReadLine(content, line, tokens));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  absl::flat_hash_set<absl::string_view> seen;
  for (size_t rank = 0; rank < tokens.size(); ++rank) {
    if (!tokens[rank].empty() && !seen.insert(tokens[rank]).second) {
      return absl::InvalidArgumentError(absl::StrCat("the token of rank ", rank, " has a rank before"));
    }
  }
  return tokens;
}

// Tokens that have a rank leave no room for specials; ids between that nobody names become unused.
absl::Status PlaceSpecials(std::vector<BpeSpecial> specials, BpeVocabParts& parts) {
  for (const BpeSpecial& special : specials) {
    if (special.id >= kMaxBpeVocabSize) {
      return absl::ResourceExhaustedError(absl::StrCat("special token ", Quoted(special.text), " has id ", special.id,
                                                       "; limit ", kMaxBpeVocabSize - 1));
    }
    if (special.id >= parts.tokens.size()) parts.tokens.resize(size_t{special.id} + 1);
    if (!parts.tokens[special.id].empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("special token ", Quoted(special.text), " has the rank of a token, ", special.id));
    }
  }
  parts.specials = std::move(specials);
  std::vector<bool> used(parts.tokens.size());
  for (const BpeSpecial& special : parts.specials) used[special.id] = true;
  for (SymbolId id = 0; id < used.size(); ++id) {
    if (!used[id] && parts.tokens[id].empty()) parts.specials.push_back({id, ""});
  }
  if (parts.specials.size() <= kMaxBpeSpecials) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("special tokens and unused ids are ", parts.specials.size(), " together; limit ", kMaxBpeSpecials));
}

absl::StatusOr<SymbolId> FindBoundary(const std::vector<BpeSpecial>& specials, const std::string& wanted) {
  const absl::string_view text = wanted.empty() ? kEnd : absl::string_view(wanted);
  for (const BpeSpecial& special : specials) {
    if (special.text == text) return special.id;
  }
  if (wanted.empty() && specials.size() == 1) return specials[0].id;
  return absl::InvalidArgumentError(
      absl::StrCat("none of ", specials.size(), " special tokens is ", Quoted(text), ", which would end documents"));
}

absl::StatusOr<TokenizerDefinition> Parse(absl::string_view text, const RankFileOptions& options) {
  CLM_ASSIGN_OR_RETURN(Settings settings, SettingsOf(options));
  BpeVocabParts parts;
  CLM_ASSIGN_OR_RETURN(parts.tokens, ReadLines(text));
  CLM_ASSIGN_OR_RETURN(RankMerges derived, DeriveRankMerges(parts.tokens));
  parts.merges = std::move(derived.merges);
  parts.equal_ranks = derived.equal_ranks;
  CLM_ASSIGN_OR_RETURN(parts.boundary, FindBoundary(settings.specials, options.boundary));
  CLM_RETURN_IF_ERROR(PlaceSpecials(std::move(settings.specials), parts));
  CLM_ASSIGN_OR_RETURN(BpeVocab vocab, CreateWithWholePieces(std::move(parts), {}));
  return TokenizerDefinition{std::move(vocab), std::move(settings.pattern), {}};
}

// ---- writing ----

absl::Status CannotSay(absl::string_view reason) {
  return absl::InvalidArgumentError(absl::StrCat("a rank file cannot say what this vocabulary does: ", reason));
}

// Whether merging by rank does what the merges of `vocab` do. `derived` are those of its tokens.
absl::Status CheckSameMerges(const BpeVocab& vocab, const RankMerges& derived) {
  if (derived.equal_ranks) {
    const bool same = vocab.equal_ranks() && std::equal(vocab.merges().begin(), vocab.merges().end(),
                                                        derived.merges.begin(), derived.merges.end());
    return same ? absl::OkStatus() : CannotSay("some token is not made of two that come before it");
  }
  // Every token has one merge that text can reach. Others of the same token are never looked at; that of the token must
  // be there, and tokens must be made in the order of their ids.
  for (size_t i = 1; i < vocab.merges().size(); ++i) {
    if (vocab.merges()[i].result >= vocab.merges()[i - 1].result) continue;
    return CannotSay(absl::StrCat("merge ", i, " makes token ", vocab.merges()[i].result, " after token ",
                                  vocab.merges()[i - 1].result));
  }
  for (const BpeMerge& merge : derived.merges) {
    if (vocab.FindMerge(merge.left, merge.right) != nullptr) continue;
    return CannotSay(absl::StrCat("nothing merges ", merge.left, " with ", merge.right, " into token ", merge.result));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TokenizerDefinition> ParseRankFile(absl::string_view text, const RankFileOptions& options) {
  absl::StatusOr<TokenizerDefinition> definition = Parse(text, options);
  if (!definition.ok()) return tokenizer_json::InFile("rank file", definition.status());
  return definition;
}

absl::StatusOr<std::string> WriteRankFile(const BpeVocab& vocab) {
  if (vocab.has_superwords()) return CannotSay("merges reach over pieces (superwords)");
  if (!vocab.cut_tokens().empty()) {
    return CannotSay(absl::StrCat("token ", vocab.cut_tokens()[0], " is cut out of text"));
  }
  std::vector<std::string> tokens;
  for (SymbolId id = 0; id < vocab.size(); ++id) tokens.emplace_back(vocab.TokenBytes(id));
  CLM_ASSIGN_OR_RETURN(const RankMerges derived, DeriveRankMerges(tokens));
  CLM_RETURN_IF_ERROR(CheckSameMerges(vocab, derived));
  const std::vector<SymbolId> missed = TokensThatMergingMisses(vocab);
  if (!std::equal(missed.begin(), missed.end(), vocab.whole_pieces().begin(), vocab.whole_pieces().end())) {
    return CannotSay("merging does not lead to some token, and a piece like it is not that token");
  }
  std::string out;
  for (SymbolId id = 0; id < vocab.size(); ++id) {
    if (!tokens[id].empty()) absl::StrAppend(&out, absl::Base64Escape(tokens[id]), " ", id, "\n");
  }
  if (out.size() <= kMaxRankFileBytes) return out;
  return absl::ResourceExhaustedError(
      absl::StrCat("a rank file would have ", out.size(), " bytes; limit ", kMaxRankFileBytes));
}

}  // namespace clm
