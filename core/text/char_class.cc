#include "core/text/char_class.h"

#include <utf8proc.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace clm {
namespace {

// Unicode's White_Space; the property has not changed since Unicode 6.3.
bool IsSpace(uint32_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

CharClass AskLibrary(uint32_t code_point) {
  if (IsSpace(code_point)) return CharClass::kSpace;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code_point))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LT:
      return CharClass::kUpper;
    case UTF8PROC_CATEGORY_LL:
      return CharClass::kLower;
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return CharClass::kCaseless;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return CharClass::kNumber;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return CharClass::kMark;
    default:
      return CharClass::kOther;
  }
}

}  // namespace

CharClasses::CharClasses() {
  constexpr uint32_t kCodePoints = 0x110000;
  std::vector<CharClass> block(kBlock);
  for (uint32_t first = 0; first < kCodePoints; first += kBlock) {
    for (uint32_t i = 0; i < kBlock; ++i) block[i] = AskLibrary(first + i);
    size_t same = 0;
    while (same < classes_.size() &&
           !std::equal(block.begin(), block.end(), classes_.begin() + static_cast<std::ptrdiff_t>(same))) {
      same += kBlock;
    }
    block_of_[first / kBlock] = static_cast<uint16_t>(same / kBlock);
    if (same == classes_.size()) classes_.insert(classes_.end(), block.begin(), block.end());
  }
}

const CharClasses& CharClasses::Get() {
  static const CharClasses& classes = *std::unique_ptr<const CharClasses>(new CharClasses).release();
  return classes;
}

absl::string_view UnicodeVersion() { return utf8proc_unicode_version(); }

}  // namespace clm
