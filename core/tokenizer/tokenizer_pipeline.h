// What a tokenizer.json does to text before and after the BPE model: everything but `model` and `added_tokens`.
//
// Thread-safety: a function without state. Ownership: takes a parsed document of bounded size.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/statusor.h"

namespace clm {

// The split pattern (core/text/pretokenizer.h) that the file's steps amount to. INVALID_ARGUMENT naming the first step
// that changes text, adds tokens, drops any, or is not known.
absl::StatusOr<std::string> ReadTokenizerPipeline(const nlohmann::json& file);

}  // namespace clm
