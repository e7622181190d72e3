// Split patterns between the programs that share them.
//
// A *shared* pattern means the same to Hugging Face `tokenizers` (Oniguruma), tiktoken (fancy-regex) and here. Three
// things that patterns in use contain do not: `X{n,m}+` repeats in Oniguruma and is possessive elsewhere; `$` and `^`
// stand at every line in Oniguruma and at the ends of the text in fancy-regex; `\pL` is fancy-regex alone. (`\w`
// differs by the joiners U+200C and U+200D; it is Oniguruma's, and refused from tiktoken.)
//
// Thread-safety: functions without state. Cost: linear, no recursion. Errors: as LexRegex.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace clm {

enum class RegexDialect : uint8_t {
  kShared,      // refuses what the other two understand differently
  kTokenizers,  // Hugging Face `tokenizers`
  kTiktoken,
};

// What `pattern` means to the program of `dialect`, as a shared pattern; itself where the dialects agree.
absl::StatusOr<std::string> ToSharedRegex(absl::string_view pattern, RegexDialect dialect);

// A shared pattern in the syntax of PCRE2, for PCRE2_UTF | PCRE2_UCP. Where PCRE2 alone differs it is told: \s is
// Unicode's White_Space, \p of a script is the script and not its extensions, and \w is Oniguruma's: Alphabetic, marks,
// decimal digits, connectors, and outside classes the superscript digits and fractions of Latin-1.
absl::StatusOr<std::string> ToPcre2Regex(absl::string_view shared_pattern);

}  // namespace clm
