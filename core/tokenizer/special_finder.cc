#include "core/tokenizer/special_finder.h"

#include <algorithm>
#include <cstdint>
#include <functional>

namespace clm {

SpecialFinder::SpecialFinder(std::span<const BpeSpecial> wanted, std::span<const BpeSpecial> skipped) {
  Add(wanted, /*wanted=*/true);
  Add(skipped, /*wanted=*/false);
  std::sort(lengths_.begin(), lengths_.end(), std::greater<>());
  lengths_.erase(std::unique(lengths_.begin(), lengths_.end()), lengths_.end());
}

void SpecialFinder::Add(std::span<const BpeSpecial> specials, bool wanted) {
  for (const BpeSpecial& special : specials) {
    if (special.text.empty()) continue;
    entries_.emplace(special.text, Entry{special.id, wanted});
    lengths_.push_back(special.text.size());
    begins_[static_cast<uint8_t>(special.text[0])] = true;
  }
}

SpecialFinder::Match SpecialFinder::Find(absl::string_view text, size_t from, bool is_end) const {
  const size_t longest = lengths_.empty() ? 1 : lengths_.front();
  size_t limit = text.size();
  if (!is_end) limit = text.size() < longest ? 0 : text.size() - longest + 1;
  size_t position = from;
  while (position < limit) {
    if (begins_[static_cast<uint8_t>(text[position])]) {
      size_t length = 0;
      const Entry entry = At(text, position, length);
      if (length != 0 && entry.wanted) return {position, length, entry.id};
      position += length;
      if (length != 0) continue;
    }
    ++position;
  }
  return {std::max(position, limit), 0, 0};
}

SpecialFinder::Entry SpecialFinder::At(absl::string_view text, size_t position, size_t& length) const {
  for (const size_t candidate : lengths_) {
    if (candidate > text.size() - position) continue;
    const auto found = entries_.find(text.substr(position, candidate));
    if (found == entries_.end()) continue;
    length = candidate;
    return found->second;
  }
  length = 0;
  return {};
}

}  // namespace clm
