// Vocabularies for tests: arbitrary ids, ranks in no useful order, several merges that lead to one token.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "core/tokenizer/bpe_vocab.h"

namespace clm::testing {

// The 256 bytes at their own values, `merges` (ids from 256 on, results in order) and one special at the end.
inline BpeVocabParts PartsOf(const std::vector<std::pair<SymbolId, SymbolId>>& merges) {
  BpeVocabParts parts;
  for (int byte = 0; byte < 256; ++byte) parts.tokens.emplace_back(1, static_cast<char>(byte));
  for (const auto& [left, right] : merges) {
    parts.merges.push_back({left, right, static_cast<SymbolId>(parts.tokens.size())});
    parts.tokens.push_back(parts.tokens[left] + parts.tokens[right]);
  }
  parts.boundary = static_cast<SymbolId>(parts.tokens.size());
  parts.specials = {{parts.boundary, "<|endoftext|>"}};
  parts.tokens.emplace_back();
  return parts;
}

inline BpeVocab VocabOf(const std::vector<std::pair<SymbolId, SymbolId>>& merges) {
  absl::StatusOr<BpeVocab> vocab = BpeVocab::Create(PartsOf(merges));
  CLM_CHECK(vocab.ok());
  return *std::move(vocab);
}

// Up to `merge_count` merges of tokens over the letters a, b, c.
inline BpeVocabParts RandomParts(uint64_t seed, size_t merge_count) {
  CounterRng rng(seed, "random_vocab", merge_count);
  BpeVocabParts parts = PartsOf({});
  parts.tokens.pop_back();
  std::vector<SymbolId> usable = {'a', 'b', 'c'};
  std::map<std::string, SymbolId> ids = {{"a", 'a'}, {"b", 'b'}, {"c", 'c'}};
  std::set<std::pair<SymbolId, SymbolId>> seen;
  for (size_t i = 0; i < merge_count; ++i) {
    const SymbolId left = usable[rng.NextBelow(usable.size())];
    const SymbolId right = usable[rng.NextBelow(usable.size())];
    const std::string joined = parts.tokens[left] + parts.tokens[right];
    if (joined.size() > 12 || !seen.emplace(left, right).second) continue;
    const auto [found, is_new] = ids.emplace(joined, static_cast<SymbolId>(parts.tokens.size()));
    if (is_new) {
      parts.tokens.push_back(joined);
      usable.push_back(found->second);
    }
    parts.merges.push_back({left, right, found->second});
  }
  for (size_t i = parts.merges.size(); i > 1; --i) std::swap(parts.merges[i - 1], parts.merges[rng.NextBelow(i)]);
  parts.boundary = static_cast<SymbolId>(parts.tokens.size());
  parts.specials = {{parts.boundary, "<|endoftext|>"}};
  parts.tokens.emplace_back();
  return parts;
}

inline BpeVocab RandomVocab(uint64_t seed, size_t merge_count) {
  absl::StatusOr<BpeVocab> vocab = BpeVocab::Create(RandomParts(seed, merge_count));
  CLM_CHECK(vocab.ok());
  return *std::move(vocab);
}

// `length` letters, each one of the first `letters` of the alphabet.
inline std::string RandomLetters(CounterRng& rng, size_t length, uint64_t letters) {
  std::string text;
  for (size_t i = 0; i < length; ++i) text.push_back(static_cast<char>('a' + static_cast<int>(rng.NextBelow(letters))));
  return text;
}

}  // namespace clm::testing
