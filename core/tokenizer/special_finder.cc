#include "core/tokenizer/special_finder.h"

#include <algorithm>
#include <cstdint>

#include "absl/container/flat_hash_set.h"

namespace clm {

SpecialFinder::SpecialFinder(std::span<const BpeSpecial> wanted, std::span<const BpeSpecial> skipped) {
  std::vector<TokenTrie::Entry> spellings;
  absl::flat_hash_set<absl::string_view> seen;
  const auto add = [&](std::span<const BpeSpecial> specials, bool is_wanted) {
    for (const BpeSpecial& special : specials) {
      if (special.text.empty() || !seen.insert(special.text).second) continue;
      spellings.push_back({special.text, static_cast<SymbolId>(entries_.size())});
      entries_.push_back({special.id, is_wanted});
      longest_ = std::max(longest_, special.text.size());
      begins_[static_cast<uint8_t>(special.text[0])] = true;
    }
  };
  add(wanted, true);
  add(skipped, false);
  trie_ = TokenTrie(spellings);
}

SpecialFinder::Match SpecialFinder::Find(absl::string_view text, size_t from, bool is_end) const {
  size_t limit = text.size();
  if (!is_end) limit = text.size() < longest_ ? 0 : text.size() - longest_ + 1;
  size_t position = from;
  while (position < limit) {
    if (!begins_[static_cast<uint8_t>(text[position])]) {
      ++position;
      continue;
    }
    const TokenTrie::Match match = trie_.Longest(text.substr(position));
    if (match.length != 0 && entries_[match.id].wanted) return {position, match.length, entries_[match.id].id};
    position += match.length != 0 ? match.length : 1;
  }
  return {std::max(position, limit), 0, 0};
}

}  // namespace clm
