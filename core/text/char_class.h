// The classes of characters that pre-tokenizer patterns tell apart.
//
// Thread-safety: functions without state. Cost: two table reads; the tables (about 40 KiB) are made at the first call.
// Determinism: follows the Unicode version of the utf8proc library in use (UnicodeVersion()).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"

namespace clm {

enum class CharClass : uint8_t {
  kOther,     // everything else, unassigned code points included
  kSpace,     // \s: Unicode's White_Space
  kNumber,    // \p{N}
  kUpper,     // \p{Lu} and \p{Lt}
  kLower,     // \p{Ll}
  kCaseless,  // \p{Lm} and \p{Lo}
  kMark,      // \p{M}
};

// \p{L}
constexpr bool IsLetter(CharClass char_class) {
  return char_class >= CharClass::kUpper && char_class <= CharClass::kCaseless;
}
// [^\s\p{L}\p{N}]
constexpr bool IsSymbol(CharClass char_class) {
  return char_class == CharClass::kOther || char_class == CharClass::kMark;
}

class CharClasses {
 public:
  // Fetch once, ask often.
  static const CharClasses& Get();

  // Requires code_point <= 0x10FFFF.
  CharClass Of(uint32_t code_point) const {
    return classes_[size_t{block_of_[code_point / kBlock]} * kBlock + code_point % kBlock];
  }

 private:
  // Equal blocks are stored once, which leaves out most of the empty planes.
  static constexpr uint32_t kBlock = 256;

  CharClasses();

  std::array<uint16_t, 0x110000 / kBlock> block_of_;
  std::vector<CharClass> classes_;  // blocks, one after the other
};

inline CharClass ClassOf(uint32_t code_point) { return CharClasses::Get().Of(code_point); }

// Unicode version of the classes, e.g. "15.0.0".
absl::string_view UnicodeVersion();

}  // namespace clm
