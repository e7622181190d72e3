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

// Up to `merge_count` merges of tokens over the letters a, b, c; unless `ordered`, their ranks are shuffled.
inline BpeVocabParts RandomParts(uint64_t seed, size_t merge_count, bool ordered = false) {
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
    if (ordered && ids.contains(joined) && i % 2 == 0) continue;
    const auto [found, is_new] = ids.emplace(joined, static_cast<SymbolId>(parts.tokens.size()));
    if (is_new) {
      parts.tokens.push_back(joined);
      usable.push_back(found->second);
    }
    parts.merges.push_back({left, right, found->second});
  }
  for (size_t i = ordered ? 0 : parts.merges.size(); i > 1; --i)
    std::swap(parts.merges[i - 1], parts.merges[rng.NextBelow(i)]);
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

// As trainers make them: what a merge joins was there before it. Tokens that merging cannot reach are among them.
inline BpeVocab OrderedVocab(uint64_t seed, size_t merge_count) {
  // A second way to make a token that others were made of already is out of order.
  BpeVocabParts parts = RandomParts(seed, merge_count, /*ordered=*/true);
  std::map<SymbolId, size_t> first_use;
  std::vector<BpeMerge> merges;
  for (const BpeMerge& merge : parts.merges) {
    if (first_use.contains(merge.result)) continue;
    first_use.emplace(merge.left, merges.size());
    first_use.emplace(merge.right, merges.size());
    merges.push_back(merge);
  }
  parts.merges = merges;
  absl::StatusOr<BpeVocab> vocab = BpeVocab::Create(std::move(parts));
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
