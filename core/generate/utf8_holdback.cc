#include "core/generate/utf8_holdback.h"

#include <utility>

#include "core/text/utf8.h"

namespace clm {

std::string Utf8Holdback::Push(absl::string_view bytes) {
  held_.append(bytes.data(), bytes.size());
  const size_t settled = held_.size() - IncompleteUtf8Suffix(held_);
  std::string out = held_.substr(0, settled);
  held_.erase(0, settled);
  return out;
}

std::string Utf8Holdback::Flush() { return std::exchange(held_, {}); }

}  // namespace clm
