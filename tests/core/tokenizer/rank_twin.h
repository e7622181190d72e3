// The rule of tiktoken, written as plainly as possible.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/types.h"

namespace clm::testing {

// The 256 bytes at their own ranks, then `words` without repetitions.
inline std::vector<std::string> RankTokens(const std::vector<std::string>& words) {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  for (const std::string& word : words) {
    if (std::find(tokens.begin(), tokens.end(), word) == tokens.end()) tokens.push_back(word);
  }
  return tokens;
}

// Joins, of all neighbours whose bytes together are a token, those of the lowest rank, of equals the leftmost.
inline std::vector<SymbolId> RankEncode(const std::vector<std::string>& tokens, const std::string& piece) {
  const auto rank_of = [&tokens](const std::string& bytes) {
    return static_cast<SymbolId>(std::find(tokens.begin(), tokens.end(), bytes) - tokens.begin());
  };
  std::vector<std::string> parts;
  for (const char byte : piece) parts.emplace_back(1, byte);
  while (true) {
    size_t best = parts.size();
    SymbolId best_rank = static_cast<SymbolId>(tokens.size());
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const SymbolId rank = rank_of(parts[i] + parts[i + 1]);
      if (rank >= best_rank) continue;
      best = i;
      best_rank = rank;
    }
    if (best == parts.size()) break;
    parts[best] += parts[best + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  std::vector<SymbolId> ids;
  for (const std::string& part : parts) ids.push_back(rank_of(part));
  return ids;
}

}  // namespace clm::testing
