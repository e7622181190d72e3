#include "core/generate/utf8_holdback.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace clm {
namespace {

// Bytes of the character that `lead` begins; 0 when it begins none.
size_t CharacterBytes(uint8_t lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return lead < 0x80 ? 1 : 0;
}

bool IsContinuation(uint8_t byte) { return byte >= 0x80 && byte <= 0xBF; }

// Whether `second` may follow `lead`: excludes overlong forms, surrogates and what lies beyond U+10FFFF.
bool MayFollow(uint8_t lead, uint8_t second) {
  if (!IsContinuation(second)) return false;
  if (lead == 0xE0) return second >= 0xA0;
  if (lead == 0xED) return second <= 0x9F;
  if (lead == 0xF0) return second >= 0x90;
  return lead != 0xF4 || second <= 0x8F;
}

}  // namespace

size_t IncompleteUtf8Suffix(absl::string_view text) {
  const size_t longest = std::min<size_t>(3, text.size());
  for (size_t length = 1; length <= longest; ++length) {
    const absl::string_view end = text.substr(text.size() - length);
    const auto lead = static_cast<uint8_t>(end[0]);
    if (IsContinuation(lead)) continue;  // the lead byte lies further left
    if (CharacterBytes(lead) <= length) return 0;
    return length == 1 || MayFollow(lead, static_cast<uint8_t>(end[1])) ? length : 0;
  }
  return 0;
}

std::string Utf8Holdback::Push(absl::string_view bytes) {
  held_.append(bytes.data(), bytes.size());
  const size_t settled = held_.size() - IncompleteUtf8Suffix(held_);
  std::string out = held_.substr(0, settled);
  held_.erase(0, settled);
  return out;
}

std::string Utf8Holdback::Flush() { return std::exchange(held_, {}); }

}  // namespace clm
