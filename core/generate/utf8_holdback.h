// Utf8Holdback: passes bytes on as soon as they end at a character.
//
// Held back are only the first bytes (at most 3) of a character that may still be completed. Bytes that can no longer
// become valid UTF-8 pass unchanged, and what is held at the end passes unchanged too: the output is always the input,
// byte for byte, only later. Rules of well-formedness: Unicode 15, table 3-7.
//
// Thread-safety: not thread-safe.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace clm {

class Utf8Holdback {
 public:
  // Takes `bytes` and returns what may be shown now.
  std::string Push(absl::string_view bytes);
  // The rest, as it is. Then ready for another text.
  std::string Flush();

 private:
  std::string held_;
};

}  // namespace clm
