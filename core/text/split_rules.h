// SplitRules: what the known pre-tokenizer patterns have in common and where they differ.
//
// All of them try, at each piece's first character, in this order: a contraction ('s, 're, ...); letters; numbers;
// symbols (neither letter nor number nor space); white space. Sources of the patterns: GPT-2 (Radford et al. 2019),
// OpenAI's tiktoken (cl100k, o200k), Llama 3 (Grattafiori et al., arXiv 2407.21783), Qwen 2 (arXiv 2407.10671).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace clm {

enum class PatternFamily : uint8_t {
  // `'s|'t|... | ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
  kGpt2,
  // `(?i:'s|'t|...)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
  kCl100k,
  // As kCl100k, but a word ends where an upper-case letter follows a lower-case one, a contraction belongs to the word
  // before it, and symbols take slashes behind the newlines.
  kO200k,
};

struct SplitRules {
  PatternFamily family = PatternFamily::kGpt2;
  size_t max_number_chars = 0;       // characters of one piece of numbers; 0: any, in kGpt2 only
  bool last_space_is_whole = false;  // `\s++$` before `\s*[\r\n]+`: white space at a document's end is one piece
};

// The rules of a pattern, recognised by its text in every spelling in use; nothing for any other.
std::optional<SplitRules> KnownSplitRules(absl::string_view pattern);

}  // namespace clm
