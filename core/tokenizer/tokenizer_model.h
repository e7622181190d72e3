// `model`, `added_tokens` and `superwords` of a tokenizer.json: the vocabulary.
//
// Thread-safety: functions without state. Errors: INVALID_ARGUMENT naming the field, token or merge; RESOURCE_EXHAUSTED
// over a limit.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/tokenizer/added_tokens.h"
#include "core/tokenizer/bpe_vocab.h"

namespace clm {

// From a parsed document of bounded size. `boundary`: as TokenizerFileOptions::boundary.
absl::StatusOr<BpeVocab> ReadTokenizerModel(const nlohmann::json& file, const std::string& boundary);

// How a tokenizer.json spells a vocabulary.
struct TokenizerSpelling {
  std::vector<std::string> keys;  // in model.vocab, by id; empty: not there
  std::vector<AddedToken> added;  // by id, ascending
};

// INVALID_ARGUMENT for what the format cannot say.
absl::StatusOr<TokenizerSpelling> SpellTokenizer(const BpeVocab& vocab);

// Append the values of "added_tokens" and "model" to `out`; `spelling` is that of `vocab`.
void AppendAddedTokens(const TokenizerSpelling& spelling, std::string& out);
void AppendModel(const BpeVocab& vocab, const TokenizerSpelling& spelling, std::string& out);
// The value of "superwords". Requires that there are some.
void AppendSuperwords(const BpeVocab& vocab, std::string& out);

}  // namespace clm
