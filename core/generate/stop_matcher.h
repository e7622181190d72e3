// Stop strings in a stream of bytes: where the first one begins, and which end of the text may still become one.
//
// Thread-safety: immutable. Cost: proportional to the text times the number of stop strings; texts are what is held
// back, so short.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace clm {

class StopMatcher {
 public:
  // No string may be empty.
  explicit StopMatcher(std::vector<std::string> stop_strings) : stop_strings_(std::move(stop_strings)) {}

  // Position of the earliest occurrence of any stop string in `text`.
  std::optional<size_t> Find(absl::string_view text) const;
  // Length of the longest end of `text` that is the beginning of a stop string, but not a whole one.
  size_t PartialSuffix(absl::string_view text) const;

 private:
  const std::vector<std::string> stop_strings_;
};

}  // namespace clm
