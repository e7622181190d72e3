// StrictObject: reads a JSON object whose fields are all known.
//
//   CLM_ASSIGN_OR_RETURN(const nlohmann::json root, ParseJson(text, "report.json", max_bytes));
//   StrictObject object(root, "report.json");
//   CLM_RETURN_IF_ERROR(object.Get("documents", documents));
//   CLM_RETURN_IF_ERROR(object.Finish());  // refuses fields nobody asked for
//
// Errors: INVALID_ARGUMENT naming the object, the field and what is wrong with it. No exception leaves.
// Thread-safety: not thread-safe. The JSON value must outlive the StrictObject.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace clm {

// ParseStrictJson with at most `max_bytes` of text; its errors with `name` before them.
absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text, absl::string_view name, size_t max_bytes);

class StrictObject {
 public:
  StrictObject(const nlohmann::json& value, std::string name) : value_(value), name_(std::move(name)) {}

  // Each requires the field to be there with exactly this type; integers must be non-negative and fit. Numbers without
  // fraction are accepted as doubles.
  absl::Status Get(const std::string& key, bool& value);
  absl::Status Get(const std::string& key, uint32_t& value);
  absl::Status Get(const std::string& key, uint64_t& value);
  absl::Status Get(const std::string& key, double& value);
  absl::Status Get(const std::string& key, std::string& value);
  // Any value, e.g. a nested object; points into the JSON value.
  absl::StatusOr<const nlohmann::json*> Child(const std::string& key);

  // INVALID_ARGUMENT naming a field that was never asked for.
  absl::Status Finish() const;
  // "<name>.<key>", for nested objects and messages.
  std::string NameOf(absl::string_view key) const;

 private:
  absl::Status Wrong(absl::string_view key, absl::string_view wanted, const nlohmann::json& found) const;

  const nlohmann::json& value_;
  const std::string name_;
  std::set<std::string> seen_;
};

}  // namespace clm
