// JsonLineParser: one text field out of one line of JSONL.
//
// The whole line must be one valid JSON object in valid UTF-8; the text is the field's value after unescaping, byte for
// byte. When a name is repeated the first value counts.
//
// Errors: INVALID_ARGUMENT with a reason fit for "file:line: reason".
// Thread-safety: not thread-safe (keeps buffers between lines).
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"

namespace clm {

class JsonLineParser {
 public:
  explicit JsonLineParser(std::string field);
  ~JsonLineParser();
  JsonLineParser(const JsonLineParser&) = delete;
  JsonLineParser& operator=(const JsonLineParser&) = delete;

  // Replaces `text`. May enlarge the capacity of `line`, never its content.
  absl::Status Parse(std::string& line, std::string& text);

 private:
  struct State;
  const std::string field_;
  std::unique_ptr<State> state_;
};

}  // namespace clm
