#include "core/data/strict_object.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/strict_json.h"

namespace clm {

absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text, absl::string_view name, size_t max_bytes) {
  absl::StatusOr<nlohmann::json> value = ParseStrictJson(text, {.max_bytes = max_bytes});
  if (value.ok()) return value;
  return absl::Status(value.status().code(), absl::StrCat(name, ": ", value.status().message()));
}

std::string StrictObject::NameOf(absl::string_view key) const { return absl::StrCat(name_, ".", key); }

absl::Status StrictObject::Wrong(absl::string_view key, absl::string_view wanted, const nlohmann::json& found) const {
  return absl::InvalidArgumentError(absl::StrCat(NameOf(key), " must be ", wanted, ", is a ", found.type_name()));
}

absl::StatusOr<const nlohmann::json*> StrictObject::Child(const std::string& key) {
  if (!value_.is_object()) return absl::InvalidArgumentError(absl::StrCat(name_, " is not a JSON object"));
  const auto found = value_.find(key);
  if (found == value_.end()) return absl::InvalidArgumentError(absl::StrCat(NameOf(key), " is missing"));
  seen_.insert(key);
  return &*found;
}

absl::Status StrictObject::Get(const std::string& key, bool& value) {
  CLM_ASSIGN_OR_RETURN(const nlohmann::json* const found, Child(key));
  if (!found->is_boolean()) return Wrong(key, "true or false", *found);
  value = found->get<bool>();
  return absl::OkStatus();
}

absl::Status StrictObject::Get(const std::string& key, uint64_t& value) {
  CLM_ASSIGN_OR_RETURN(const nlohmann::json* const found, Child(key));
  if (!found->is_number_unsigned()) return Wrong(key, "a non-negative integer", *found);
  value = found->get<uint64_t>();
  return absl::OkStatus();
}

absl::Status StrictObject::Get(const std::string& key, uint32_t& value) {
  uint64_t wide = 0;
  CLM_RETURN_IF_ERROR(Get(key, wide));
  if (wide > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(absl::StrCat(NameOf(key), " is ", wide, ", must be below 2^32"));
  }
  value = static_cast<uint32_t>(wide);
  return absl::OkStatus();
}

absl::Status StrictObject::Get(const std::string& key, double& value) {
  CLM_ASSIGN_OR_RETURN(const nlohmann::json* const found, Child(key));
  if (!found->is_number()) return Wrong(key, "a number", *found);
  value = found->get<double>();
  return absl::OkStatus();
}

absl::Status StrictObject::Get(const std::string& key, std::string& value) {
  CLM_ASSIGN_OR_RETURN(const nlohmann::json* const found, Child(key));
  if (!found->is_string()) return Wrong(key, "a string", *found);
  value = found->get<std::string>();
  return absl::OkStatus();
}

absl::Status StrictObject::Finish() const {
  if (!value_.is_object()) return absl::InvalidArgumentError(absl::StrCat(name_, " is not a JSON object"));
  for (const auto& [key, ignored] : value_.items()) {
    if (!seen_.contains(key)) return absl::InvalidArgumentError(absl::StrCat(NameOf(key), " is unknown"));
  }
  return absl::OkStatus();
}

}  // namespace clm
