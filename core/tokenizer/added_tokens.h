// `added_tokens` of a tokenizer.json: special tokens, and tokens that are cut out of text before it is split.
//
// Hugging Face `tokenizers` numbers them itself when it reads a file: those in model.vocab have the id they have there,
// the others follow, and the ids of the file are not looked at. A file whose ids differ from that numbering is refused.
// It also looks for tokens with `normalized` in a second pass, behind the others; one pass finds the same unless a
// token of each pass overlap, which is refused too.
//
// Thread-safety: functions without state. Errors: INVALID_ARGUMENT naming the token; RESOURCE_EXHAUSTED over a limit.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"

namespace clm {

struct AddedToken {
  SymbolId id = 0;
  std::string text;
  bool special = false;     // else it stands for its bytes and is cut out of text
  bool normalized = false;  // looked for in the second pass
  bool in_vocab = false;    // model.vocab has it too
};

// `vocab` is model.vocab, whose values are known to be ids.
absl::StatusOr<std::vector<AddedToken>> ReadAddedTokens(const nlohmann::json& list, const nlohmann::json& vocab);

// OK when `tokens`, in this order, get the ids they have from a program that numbers them itself behind a model.vocab
// of `vocab_entries` entries.
absl::Status CheckNumbering(const std::vector<AddedToken>& tokens, size_t vocab_entries);

}  // namespace clm
