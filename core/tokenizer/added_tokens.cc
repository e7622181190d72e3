#include "core/tokenizer/added_tokens.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/tokenizer/bpe_vocab.h"
#include "core/tokenizer/json_fields.h"

namespace clm {
namespace {

using tokenizer_json::Field;
using tokenizer_json::IsSet;
using tokenizer_json::IsTrue;
using tokenizer_json::Json;
using tokenizer_json::Quoted;
using tokenizer_json::Refused;

absl::StatusOr<AddedToken> ReadAddedToken(const Json& entry, const Json& vocab) {
  if (!entry.is_object() || !Field(entry, "content").is_string()) {
    return Refused("added_tokens", "has an entry without content");
  }
  CLM_RETURN_IF_ERROR(tokenizer_json::CheckKeys(
      entry, "added_tokens", {"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"}));
  AddedToken token;
  token.text = Field(entry, "content").get<std::string>();
  CLM_ASSIGN_OR_RETURN(token.id, tokenizer_json::ReadId(Field(entry, "id"), token.text));
  if (token.text.empty() || token.text.size() > kMaxBpeSpecialBytes) {
    return Refused("added_tokens", absl::StrCat("has ", Quoted(token.text), " of ", token.text.size(),
                                                " bytes; range [1, ", kMaxBpeSpecialBytes, "]"));
  }
  for (const char* flag : {"single_word", "lstrip", "rstrip"}) {
    if (!IsSet(Field(entry, flag))) continue;
    const bool strips = absl::EndsWith(flag, "strip");
    return Refused("added_tokens", absl::StrCat(Quoted(token.text), " has ", flag, ": ",
                                                strips ? "the space beside it would be lost"
                                                       : "whether it is found would depend on what is a word"));
  }
  token.special = IsTrue(Field(entry, "special"));
  const Json& normalized = Field(entry, "normalized");
  token.normalized = normalized.is_null() ? !token.special : IsTrue(normalized);
  token.in_vocab = vocab.contains(token.text);
  return token;
}

// Whether a text can hold both so that they share bytes.
bool Overlap(absl::string_view left, absl::string_view right) {
  if (absl::StrContains(left, right) || absl::StrContains(right, left)) return true;
  for (size_t shared = 1; shared < std::min(left.size(), right.size()); ++shared) {
    if (absl::EndsWith(left, right.substr(0, shared)) || absl::EndsWith(right, left.substr(0, shared))) return true;
  }
  return false;
}

absl::Status CheckPasses(const std::vector<AddedToken>& tokens) {
  std::array<std::vector<const AddedToken*>, 2> passes;
  std::array<size_t, 2> bytes{};
  for (const AddedToken& token : tokens) {
    const size_t pass = token.normalized ? 1 : 0;
    passes[pass].push_back(&token);
    bytes[pass] += token.text.size();
  }
  // Comparing takes about so many steps. Only few files have any in the second pass, and those have a few dozen.
  constexpr size_t kMaxSteps = 100'000'000;
  if (bytes[0] * bytes[1] > kMaxSteps) {
    return absl::ResourceExhaustedError(absl::StrCat("added_tokens has ", bytes[0], " bytes without and ", bytes[1],
                                                     " bytes with normalized; limit of the product ", kMaxSteps));
  }
  for (const AddedToken* first : passes[0]) {
    for (const AddedToken* second : passes[1]) {
      if (!Overlap(first->text, second->text)) continue;
      return Refused("added_tokens", absl::StrCat(Quoted(second->text), " is normalized and overlaps ",
                                                  Quoted(first->text), ", which is not: their order is not supported"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<AddedToken>> ReadAddedTokens(const Json& list, const Json& vocab) {
  std::vector<AddedToken> tokens;
  if (list.is_null()) return tokens;
  if (!list.is_array()) return Refused("added_tokens", "is not a list");
  if (list.size() > kMaxBpeSpecials) {
    return tokenizer_json::TooMany("added_tokens", list.size(), "entries", kMaxBpeSpecials);
  }
  absl::flat_hash_set<std::string> texts;
  for (const Json& entry : list) {
    CLM_ASSIGN_OR_RETURN(AddedToken token, ReadAddedToken(entry, vocab));
    if (token.in_vocab && vocab[token.text].get<SymbolId>() != token.id) {
      return Refused("added_tokens", absl::StrCat(Quoted(token.text), " has id ", token.id, ", expected ",
                                                  vocab[token.text].get<SymbolId>(), " as in model.vocab"));
    }
    if (!texts.insert(token.text).second) {
      return Refused("added_tokens", absl::StrCat("has ", Quoted(token.text), " twice"));
    }
    tokens.push_back(std::move(token));
  }
  CLM_RETURN_IF_ERROR(CheckNumbering(tokens, vocab.size()));
  CLM_RETURN_IF_ERROR(CheckPasses(tokens));
  return tokens;
}

absl::Status CheckNumbering(const std::vector<AddedToken>& tokens, size_t vocab_entries) {
  size_t next = vocab_entries;
  for (const AddedToken& token : tokens) {
    if (!token.in_vocab && token.id != next) {
      return Refused("added_tokens", absl::StrCat(Quoted(token.text), " has id ", token.id, ", expected ", next,
                                                  ": tokens that model.vocab lacks are numbered behind it"));
    }
    next = std::max(next, size_t{token.id} + 1);
  }
  return absl::OkStatus();
}

}  // namespace clm
