// Small readers that the sources of tokenizer.json share. Not for other folders.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/text/utf8.h"
#include "core/tokenizer/bpe_vocab.h"

namespace clm::tokenizer_json {

using Json = nlohmann::json;

inline constexpr size_t kShownJsonBytes = 64;

// For messages: shortened, and safe to print whatever it holds.
inline std::string Quoted(absl::string_view text) {
  absl::string_view shown = text.substr(0, kShownJsonBytes);
  shown.remove_suffix(IncompleteUtf8Suffix(shown));
  const bool is_utf8 = ValidUtf8Prefix(shown) == shown.size();
  return absl::StrCat("\"", is_utf8 ? absl::Utf8SafeCHexEscape(shown) : absl::CHexEscape(shown),
                      shown.size() < text.size() ? "..." : "", "\"");
}

// INVALID_ARGUMENT naming the field. Which file it is in is said by whoever reads the file.
inline absl::Status Refused(absl::string_view field, absl::string_view reason) {
  return absl::InvalidArgumentError(absl::StrCat(field, " ", reason));
}

// RESOURCE_EXHAUSTED: `field` has `count` of `what`.
inline absl::Status TooMany(absl::string_view field, size_t count, absl::string_view what, size_t limit) {
  return absl::ResourceExhaustedError(absl::StrCat(field, " has ", count, " ", what, "; limit ", limit));
}

// `status` with the name of the file before its message.
inline absl::Status InFile(absl::string_view file, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(file, ": ", status.message()));
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

// The id of `token`. INVALID_ARGUMENT for what is no number >= 0, RESOURCE_EXHAUSTED above the last id there can be.
inline absl::StatusOr<SymbolId> ReadId(const Json& value, absl::string_view token) {
  if (!value.is_number_integer() || (!value.is_number_unsigned() && value.get<int64_t>() < 0)) {
    return Refused("id", absl::StrCat("of ", Quoted(token), " is not a number >= 0"));
  }
  const auto id = value.get<uint64_t>();
  if (id >= kMaxBpeVocabSize) {
    return absl::ResourceExhaustedError(
        absl::StrCat("id of ", Quoted(token), " is ", id, "; limit ", kMaxBpeVocabSize - 1));
  }
  return static_cast<SymbolId>(id);
}

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
