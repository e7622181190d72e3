#include "core/text/utf8.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace clm {
namespace {

// What the first byte of a sequence says: its length, its payload bits, and the range of the second byte, which is
// where overlong forms, surrogates and code points above U+10FFFF show (RFC 3629, section 4).
struct Lead {
  uint8_t length;  // 0: no sequence begins so
  uint8_t payload_mask;
  uint8_t second_low;
  uint8_t second_high;
};

Lead LeadOf(uint8_t byte) {
  if (byte < 0x80) return {1, 0x7F, 0, 0};
  if (byte < 0xC2) return {0, 0, 0, 0};
  if (byte < 0xE0) return {2, 0x1F, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0x0F, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x0F, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x0F, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x07, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x07, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x07, 0x80, 0x8F};
  return {0, 0, 0, 0};
}

constexpr Utf8Char kInvalidChar{};

}  // namespace

Utf8Char DecodeUtf8(absl::string_view text) {
  const auto first = static_cast<uint8_t>(text[0]);
  const Lead lead = LeadOf(first);
  if (lead.length == 0) return kInvalidChar;
  uint32_t code_point = first & lead.payload_mask;
  const size_t available = std::min<size_t>(lead.length, text.size());
  for (size_t i = 1; i < available; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    const uint8_t low = i == 1 ? lead.second_low : uint8_t{0x80};
    const uint8_t high = i == 1 ? lead.second_high : uint8_t{0xBF};
    if (byte < low || byte > high) return kInvalidChar;
    code_point = (code_point << 6) | (byte & 0x3FU);
  }
  if (available < lead.length) return {0, static_cast<uint8_t>(available), Utf8State::kTruncated};
  return {code_point, lead.length, Utf8State::kValid};
}

size_t ValidUtf8Prefix(absl::string_view text) {
  size_t position = 0;
  while (position < text.size()) {
    if (static_cast<uint8_t>(text[position]) < 0x80) {
      ++position;
      continue;
    }
    const Utf8Char next = DecodeUtf8(text.substr(position));
    if (next.state != Utf8State::kValid) break;
    position += next.length;
  }
  return position;
}

absl::Status ValidateUtf8(absl::string_view text) {
  const size_t valid = ValidUtf8Prefix(text);
  if (valid == text.size()) return absl::OkStatus();
  const bool truncated = DecodeUtf8(text.substr(valid)).state == Utf8State::kTruncated;
  return absl::InvalidArgumentError(absl::StrFormat("invalid UTF-8 at offset %d: byte 0x%02X%s", valid,
                                                    static_cast<uint8_t>(text[valid]),
                                                    truncated ? " begins a character that the text cuts off" : ""));
}

size_t IncompleteUtf8Suffix(absl::string_view text) {
  const size_t longest = std::min<size_t>(3, text.size());
  for (size_t length = longest; length > 0; --length) {
    const Utf8Char last = DecodeUtf8(text.substr(text.size() - length));
    if (last.state == Utf8State::kTruncated && last.length == length) return length;
  }
  return 0;
}

}  // namespace clm
