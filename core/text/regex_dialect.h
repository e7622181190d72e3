// Split patterns between the programs that share them.
//
// A *shared* pattern means the same to Hugging Face `tokenizers` (Oniguruma), tiktoken (fancy-regex) and here. Three
// things that patterns in use contain do not: `X{n,m}+` repeats in Oniguruma and is possessive elsewhere; `$` and `^`
// stand at every line in Oniguruma and at the ends of the text in fancy-regex; `\pL` is fancy-regex alone.
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

// A shared pattern in the syntax of PCRE2, for PCRE2_UTF | PCRE2_UCP. \s is Unicode's White_Space and \w Oniguruma's
// (Alphabetic, marks, numbers, connectors), \p of a script is the script and not its extensions: where PCRE2 alone
// differs.
absl::StatusOr<std::string> ToPcre2Regex(absl::string_view shared_pattern);

}  // namespace clm
