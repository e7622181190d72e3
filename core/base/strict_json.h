// ParseStrictJson: JSON from files that may be damaged or hostile.
//
// Refused: anything after the value, a key twice in one object, invalid UTF-8, nesting, length or number of values over
// the limits. All of that is found before memory is spent on values, and without recursion. Thread-safety: a function.
// Cost: two passes over the text.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace clm {

struct JsonLimits {
  size_t max_bytes = size_t{16} << 20;
  size_t max_depth = 16;          // of objects and arrays inside each other
  size_t max_values = 1'000'000;  // scalars, objects and arrays; each costs about 16 to 100 bytes
};

// Whether `text` is valid UTF-8, so that it may be written into JSON.
bool IsJsonText(absl::string_view text);

// INVALID_ARGUMENT with the position in bytes (or the key), RESOURCE_EXHAUSTED with the limit.
absl::StatusOr<nlohmann::json> ParseStrictJson(absl::string_view text, const JsonLimits& limits);

}  // namespace clm
