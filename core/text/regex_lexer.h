// LexRegex: the parts of a split pattern, in the syntax that the programs which share tokenizer files agree on.
//
// Split patterns are read by three regular expression engines: Oniguruma (Hugging Face `tokenizers`), fancy-regex
// (tiktoken) and PCRE2 (here). The syntax below is what all of them have; what only one has, or what they understand
// differently (\b, \h, \R, back references, recursion, [[:alpha:]], &&, inline comments, ...) is refused by name, so
// that a pattern that is read cuts text as its author's program does. regex_dialect.h deals with the few differences
// that patterns in use rely on.
//
//   alternatives | groups ( (?: (?> (?= (?! (?<= (?<! (?i: (?-i:  and (?i) as the first thing
//   quantifiers * + ? {n} {n,} {n,m}, each also lazy (...?) and possessive (...+)
//   . ^ $ \A \z   \s \S \d \D \w \W   \p{..} \P{..}   \n \t \r \f \v \e \a   \xHH (below 80) \x{H..} \uHHHH
//   [...] [^...] with ranges and, as part of a union, [..] within it
//
// Thread-safety: a function without state. Cost: linear, no recursion.
// Errors: INVALID_ARGUMENT with what is wrong and its offset in bytes; RESOURCE_EXHAUSTED over a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace clm {

inline constexpr size_t kMaxRegexBytes = 8192;
inline constexpr size_t kMaxRegexDepth = 32;       // of groups, of classes
inline constexpr uint32_t kMaxRegexRepeat = 1000;  // n and m of {n,m}

enum class RegexPart : uint8_t {
  kCharacter,    // a character that stands for itself; in `code_point`, as are the next two
  kEscape,       // the same, spelt \n, \x41, \., ...
  kDash,         // a - in a class that stands for itself
  kRangeDash,    // a - in a class between the ends of a range
  kAny,          // .
  kCharType,     // \s \S \d \D \w \W
  kProperty,     // \p{..} \P{..}, or \pL where the dialect has it
  kClassBegin,   // [ or [^
  kClassEnd,     // ]
  kGroupBegin,   // ( and what follows it up to : or the like
  kGroupEnd,     // )
  kCaseless,     // (?i)
  kAlternative,  // |
  kQuantifier,   // * + ? {..}, with a ? or + behind it
  kTextBegin,    // \A
  kTextEnd,      // \z
  kLineBegin,    // ^
  kLineEnd,      // $
};

struct RegexToken {
  RegexPart part = RegexPart::kCharacter;
  bool in_class = false;  // between [ and ], the outermost ones not included
  size_t begin = 0;       // offsets in the pattern
  size_t end = 0;
  uint32_t code_point = 0;
};

absl::StatusOr<std::vector<RegexToken>> LexRegex(absl::string_view pattern);

// INVALID_ARGUMENT: `reason` at `offset` of a pattern, of which the message shows a part.
absl::Status RegexRefused(absl::string_view pattern, size_t offset, absl::string_view reason);

}  // namespace clm
