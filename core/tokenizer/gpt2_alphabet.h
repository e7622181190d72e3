// The alphabet in which GPT-2 files spell bytes: one printable character per byte.
//
// Bytes 0x21..0x7E, 0xA1..0xAC and 0xAE..0xFF stand for themselves (as Latin-1); the other 68, in ascending order, are
// U+0100, U+0101, ...: a space is U+0120. Source: bytes_to_unicode in openai/gpt-2 (described, not copied).
// Thread-safety: functions without state. Cost: linear.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace clm {

// `bytes`, spelt in UTF-8.
std::string ToGpt2Alphabet(absl::string_view bytes);
// The bytes that `text` spells; nothing when it is not UTF-8 or holds a character outside the alphabet.
std::optional<std::string> FromGpt2Alphabet(absl::string_view text);

}  // namespace clm
