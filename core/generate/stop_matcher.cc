#include "core/generate/stop_matcher.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace clm {

std::optional<size_t> StopMatcher::Find(absl::string_view text) const {
  size_t earliest = absl::string_view::npos;
  for (const std::string& stop : stop_strings_) earliest = std::min(earliest, text.find(stop));
  return earliest == absl::string_view::npos ? std::nullopt : std::optional<size_t>(earliest);
}

size_t StopMatcher::PartialSuffix(absl::string_view text) const {
  size_t longest = 0;
  for (const std::string& stop : stop_strings_) {
    for (size_t length = std::min(stop.size() - 1, text.size()); length > longest; --length) {
      if (absl::EndsWith(text, absl::string_view(stop).substr(0, length))) longest = length;
    }
  }
  return longest;
}

}  // namespace clm
