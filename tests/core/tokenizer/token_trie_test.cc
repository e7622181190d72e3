#include "core/tokenizer/token_trie.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "tests/core/tokenizer/random_vocab.h"

namespace clm {
namespace {

TEST(TokenTrieTest, AnEmptyTrieMatchesNothing) {
  const TokenTrie trie;
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_EQ(trie.Longest(std::string(3, static_cast<char>(byte))).id, kNoToken) << byte;
  }
  EXPECT_EQ(trie.Longest("").id, kNoToken);
}

TEST(TokenTrieTest, FindsTheLongestOfManyTokens) {
  for (uint64_t round = 0; round < 5; ++round) {
    CounterRng rng(1, "token_trie_test", round);
    std::map<std::string, SymbolId> tokens;
    for (int i = 0; i < 4'000; ++i) {
      std::string token;
      const uint64_t length = 1 + rng.NextBelow(6);
      const uint64_t values = round == 0 ? 256 : 4;
      for (uint64_t k = 0; k < length; ++k) token.push_back(static_cast<char>(rng.NextBelow(values)));
      tokens.emplace(token, static_cast<SymbolId>(i));
    }
    std::vector<TokenTrie::Entry> entries;
    for (const auto& [bytes, id] : tokens) entries.push_back({bytes, id});
    const TokenTrie trie(entries);
    for (const auto& [bytes, id] : tokens) {
      const TokenTrie::Match match = trie.Longest(bytes);
      ASSERT_EQ(match.id, id);
      ASSERT_EQ(match.length, bytes.size());
    }
    for (int i = 0; i < 2'000; ++i) {
      std::string text;
      for (int k = 0; k < 8; ++k) text.push_back(static_cast<char>(rng.NextBelow(round == 0 ? 256 : 5)));
      TokenTrie::Match want;
      for (uint32_t length = 1; length <= text.size(); ++length) {
        const auto found = tokens.find(text.substr(0, length));
        if (found != tokens.end()) want = {found->second, length};
      }
      const TokenTrie::Match match = trie.Longest(text);
      ASSERT_EQ(match.id, want.id);
      ASSERT_EQ(match.length, want.length);
    }
  }
}

}  // namespace
}  // namespace clm
