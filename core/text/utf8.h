// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
//
// Thread-safety: functions without state. Cost: linear, no allocation. Texts may hold any bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace clm {

enum class Utf8State : uint8_t {
  kValid,      // a whole code point
  kInvalid,    // no continuation of the text makes these bytes valid
  kTruncated,  // the text ends inside what may become a code point
};

struct Utf8Char {
  uint32_t code_point = 0;  // only for kValid
  // Bytes it takes: 1 to 4 for kValid, 1 for kInvalid, what is left of the text (1 to 3) for kTruncated.
  uint8_t length = 1;
  Utf8State state = Utf8State::kInvalid;
};

// What `text` begins with. Requires a text that is not empty.
Utf8Char DecodeUtf8(absl::string_view text);

// Length in bytes of the longest valid prefix: the offset of the first byte that is not part of a whole code point, or
// text.size().
size_t ValidUtf8Prefix(absl::string_view text);

// OK, or INVALID_ARGUMENT with the offset and the value of the first invalid byte and whether the text ends too early.
absl::Status ValidateUtf8(absl::string_view text);

// How many bytes at the end (0 to 3) are the beginning of a code point that more text may complete. What lies before
// them may be invalid. A stream that shows whole characters holds these bytes back.
size_t IncompleteUtf8Suffix(absl::string_view text);

}  // namespace clm
