// What a tokenizer.json does to text before and after the BPE model: everything but `model` and `added_tokens`.
// docs/formats/tokenizer.md has the table of what is read and what is refused.
//
// Thread-safety: functions without state. Ownership: take a parsed document of bounded size.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace clm {

struct TokenizerPipeline {
  std::string pattern;  // the split pattern (core/text/pretokenizer.h) that the file's steps amount to
  // What the file asks for and is not done, because bytes would not come back: one sentence each.
  std::vector<std::string> not_applied;
};

// "version" of a file that has "superwords", which `tokenizers` does not know: it refuses such a file by its version.
inline constexpr char kSuperwordFileVersion[] = "clm-superwords-1";

// INVALID_ARGUMENT naming the first step that changes text, drops any, or is not known; RESOURCE_EXHAUSTED over a
// limit.
absl::StatusOr<TokenizerPipeline> ReadTokenizerPipeline(const nlohmann::json& file);

// The value of "pre_tokenizer" for a pattern that MakePretokenizer knows. Errors: its own.
absl::StatusOr<std::string> PreTokenizerJson(absl::string_view pattern);

}  // namespace clm
