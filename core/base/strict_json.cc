#include "core/base/strict_json.h"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace clm {
namespace {

// Sees every event of the text, keeps no values, stops at the first offence.
class Checker final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Checker(const JsonLimits& limits) : limits_(limits) {}

  const absl::Status& status() const { return status_; }

  bool null() override { return Value(); }
  bool boolean(bool /*value*/) override { return Value(); }
  bool number_integer(number_integer_t /*value*/) override { return Value(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return Value(); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return Value(); }
  bool string(string_t& /*value*/) override { return Value(); }
  bool binary(binary_t& /*value*/) override { return Value(); }
  bool start_object(size_t /*elements*/) override { return Open(); }
  bool end_object() override { return Close(); }
  bool start_array(size_t /*elements*/) override { return Open(); }
  bool end_array() override { return Close(); }

  bool key(string_t& key) override {
    if (keys_.back().insert(key).second) return true;
    status_ = absl::InvalidArgumentError(absl::StrCat("key \"", key.substr(0, 64), "\" occurs twice in one object"));
    return false;
  }

  bool parse_error(size_t position, const std::string& /*token*/, const nlohmann::json::exception& /*error*/) override {
    status_ = absl::InvalidArgumentError(absl::StrCat("not JSON: syntax error at byte ", position));
    return false;
  }

 private:
  bool Value() {
    if (++values_ <= limits_.max_values) return true;
    status_ = absl::ResourceExhaustedError(absl::StrCat("more than ", limits_.max_values, " JSON values"));
    return false;
  }
  bool Open() {
    keys_.emplace_back();
    if (keys_.size() <= limits_.max_depth) return Value();
    status_ = absl::ResourceExhaustedError(absl::StrCat("JSON nested deeper than ", limits_.max_depth));
    return false;
  }
  bool Close() {
    keys_.pop_back();
    return true;
  }

  const JsonLimits limits_;
  absl::Status status_;
  std::vector<std::set<std::string>> keys_;  // of the open objects; an array has none
  size_t values_ = 0;
};

}  // namespace

bool IsJsonText(absl::string_view text) {
  try {
    const std::string ignored = nlohmann::json(std::string(text)).dump();
    return !ignored.empty();
  } catch (const nlohmann::json::type_error&) {  // 316: invalid UTF-8
    return false;
  }
}

absl::StatusOr<nlohmann::json> ParseStrictJson(absl::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("JSON text has ", text.size(), " bytes, the limit is ", limits.max_bytes));
  }
  Checker checker(limits);
  const bool accepted = nlohmann::json::sax_parse(text.begin(), text.end(), &checker);
  if (!checker.status().ok()) return checker.status();
  nlohmann::json value;
  if (accepted) value = nlohmann::json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!accepted || value.is_discarded()) return absl::InvalidArgumentError("not JSON");
  return value;
}

}  // namespace clm
