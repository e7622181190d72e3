#include "core/tokenizer/special_finder.h"

#include <algorithm>
#include <cstdint>
#include <functional>

namespace clm {

SpecialFinder::SpecialFinder(std::span<const BpeSpecial> specials) {
  for (const BpeSpecial& special : specials) {
    ids_.emplace(special.text, special.id);
    lengths_.push_back(special.text.size());
    begins_[static_cast<uint8_t>(special.text[0])] = true;
  }
  std::sort(lengths_.begin(), lengths_.end(), std::greater<>());
  lengths_.erase(std::unique(lengths_.begin(), lengths_.end()), lengths_.end());
}

SpecialFinder::Match SpecialFinder::Find(absl::string_view text, size_t from, bool is_end) const {
  const size_t longest = lengths_.empty() ? 1 : lengths_.front();
  size_t limit = text.size();
  if (!is_end) limit = text.size() < longest ? 0 : text.size() - longest + 1;
  for (size_t position = from; position < limit; ++position) {
    if (!begins_[static_cast<uint8_t>(text[position])]) continue;
    const Match match = At(text, position);
    if (match.length != 0) return match;
  }
  return {std::max(from, limit), 0, 0};
}

SpecialFinder::Match SpecialFinder::At(absl::string_view text, size_t position) const {
  for (const size_t length : lengths_) {
    if (length > text.size() - position) continue;
    const auto found = ids_.find(text.substr(position, length));
    if (found != ids_.end()) return {position, length, found->second};
  }
  return {position, 0, 0};
}

}  // namespace clm
