// tokenizer.json of Hugging Face `tokenizers`: reading and writing. docs/formats/tokenizer.md has the whole table of
// what is read, what is written and what is refused.
//
// Only byte-level BPE is read, and only what this project reproduces id for id; everything else in a file (a prefix
// space, text that is dropped, dropout, ...) is refused by name. Two things are read and not done, because bytes would
// not come back or ids would not be those of the text: see TokenizerDefinition::not_applied. A written file gives the
// same ids in `tokenizers`, except for text that spells a special token, which is plain text here. Superwords are
// beyond that program: a file with them has a version of its own, by which it is refused there.
//
// Thread-safety: functions without state. Files are hostile until proven otherwise: nothing recursive, all sizes
// limited. Errors: INVALID_ARGUMENT naming the field, token or merge; RESOURCE_EXHAUSTED over a limit.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/tokenizer/bpe_vocab.h"

namespace clm {

inline constexpr size_t kMaxTokenizerFileBytes = size_t{64} << 20;

struct TokenizerFileOptions {
  // Spelling of the special token that ends documents. Empty: "<|endoftext|>" if the file has it, else its only
  // special.
  std::string boundary;
};

struct TokenizerDefinition {
  BpeVocab vocab;
  std::string pattern;                     // as in core/text/pretokenizer.h
  std::vector<std::string> not_applied{};  // what the file asks for and is not done, one sentence each, for people
};

absl::StatusOr<TokenizerDefinition> ParseTokenizerJson(absl::string_view json,
                                                       const TokenizerFileOptions& options = {});
// The same for a document that is parsed already, within limits of its own. Messages do not name the file.
absl::StatusOr<TokenizerDefinition> ReadTokenizerDocument(const nlohmann::json& file,
                                                          const TokenizerFileOptions& options);

// `pattern` must be one that MakePretokenizer knows. The same vocabulary always gives the same bytes.
// INVALID_ARGUMENT for what the format cannot say (a special spelt like a token, merges that share a rank, a cut token
// that is no text); RESOURCE_EXHAUSTED when the file would be longer than kMaxTokenizerFileBytes.
absl::StatusOr<std::string> WriteTokenizerJson(const BpeVocab& vocab, absl::string_view pattern);

}  // namespace clm
