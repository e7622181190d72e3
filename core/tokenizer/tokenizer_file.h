// tokenizer.json of Hugging Face `tokenizers`: reading and writing. docs/formats/tokenizer.md has the whole table of
// what is read, what is written and what is refused.
//
// Only tokenizers that this project reproduces id for id are read; everything else in a file (a normalizer, a prefix
// space, another split pattern, dropout, tokens that are cut out of text, ...) is refused by name. A written file gives
// the same ids in `tokenizers`, except for text that spells a special token, which is plain text here.
//
// Thread-safety: functions without state. Files are hostile until proven otherwise: nothing recursive, all sizes
// limited. Errors: INVALID_ARGUMENT naming the field, token or merge; RESOURCE_EXHAUSTED over a limit.
#pragma once

#include <cstddef>
#include <string>

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
  std::string pattern;  // as in core/text/pretokenizer.h
};

absl::StatusOr<TokenizerDefinition> ParseTokenizerJson(absl::string_view json,
                                                       const TokenizerFileOptions& options = {});

// `pattern` must be one that MakePretokenizer knows. The same vocabulary always gives the same bytes.
// INVALID_ARGUMENT when a special is spelt like a token, which the format cannot say; RESOURCE_EXHAUSTED when the file
// would be longer than kMaxTokenizerFileBytes.
absl::StatusOr<std::string> WriteTokenizerJson(const BpeVocab& vocab, absl::string_view pattern);

}  // namespace clm
