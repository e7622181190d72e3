#include "core/data/json_line.h"

#include <simdjson.h>

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace clm {
namespace {

const char* TypeName(simdjson::dom::element_type type) {
  switch (type) {
    case simdjson::dom::element_type::ARRAY:
      return "an array";
    case simdjson::dom::element_type::OBJECT:
      return "an object";
    case simdjson::dom::element_type::STRING:
      return "a string";
    case simdjson::dom::element_type::BOOL:
      return "a boolean";
    case simdjson::dom::element_type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

}  // namespace

struct JsonLineParser::State {
  simdjson::dom::parser parser;
};

JsonLineParser::JsonLineParser(std::string field) : field_(std::move(field)), state_(std::make_unique<State>()) {}
JsonLineParser::~JsonLineParser() = default;

absl::Status JsonLineParser::Parse(std::string& line, std::string& text) {
  text.clear();
  line.reserve(line.size() + simdjson::SIMDJSON_PADDING);  // simdjson reads past the end, in place
  simdjson::dom::element root;
  if (const auto error = state_->parser.parse(line.data(), line.size(), false).get(root); error) {
    return absl::InvalidArgumentError(absl::StrCat("not valid JSON: ", simdjson::error_message(error)));
  }
  simdjson::dom::object object;
  if (root.get(object) != simdjson::SUCCESS) {
    return absl::InvalidArgumentError(absl::StrCat("the line is ", TypeName(root.type()), ", not an object"));
  }
  simdjson::dom::element value;
  if (object.at_key(std::string_view(field_)).get(value) != simdjson::SUCCESS) {
    return absl::InvalidArgumentError(absl::StrCat("no field \"", field_, "\""));
  }
  std::string_view content;
  if (value.get(content) != simdjson::SUCCESS) {
    return absl::InvalidArgumentError(
        absl::StrCat("field \"", field_, "\" is ", TypeName(value.type()), ", not a string"));
  }
  text.assign(content.data(), content.size());
  return absl::OkStatus();
}

}  // namespace clm
