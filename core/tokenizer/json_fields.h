// Small readers that the sources of tokenizer.json share. Not for other folders.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace clm::tokenizer_json {

using Json = nlohmann::json;

inline constexpr size_t kShownJsonBytes = 64;

// For messages: shortened, and safe to print whatever it holds.
inline std::string Quoted(absl::string_view text) {
  return absl::StrCat("\"", absl::Utf8SafeCHexEscape(text.substr(0, kShownJsonBytes)),
                      text.size() > kShownJsonBytes ? "..." : "", "\"");
}

// INVALID_ARGUMENT naming the field.
inline absl::Status Refused(absl::string_view field, absl::string_view reason) {
  return absl::InvalidArgumentError(absl::StrCat("tokenizer.json: ", field, " ", reason));
}

// The value of `key`; null when it is missing.
inline const Json& Field(const Json& object, const char* key) {
  static const Json kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

// object["type"], or empty.
inline std::string TypeOf(const Json& object) {
  const Json& type = Field(object, "type");
  return type.is_string() ? type.get<std::string>() : std::string();
}

inline bool IsTrue(const Json& value) { return value.is_boolean() && value.get<bool>(); }
// Anything but null and false: a switch that must be off, in whatever way it is on.
inline bool IsSet(const Json& value) { return !value.is_null() && value != false; }

// INVALID_ARGUMENT naming the first key of `object` (called `name`) that is not in `known`.
inline absl::Status CheckKeys(const Json& object, absl::string_view name,
                              std::initializer_list<absl::string_view> known) {
  for (const auto& item : object.items()) {
    if (std::find(known.begin(), known.end(), item.key()) == known.end()) {
      return Refused(name, absl::StrCat("has a field ", Quoted(item.key()), " whose effect is not known"));
    }
  }
  return absl::OkStatus();
}

}  // namespace clm::tokenizer_json
