// TokenTrie: the longest token that a text begins with.
//
// A double-array trie (Aoe 1989) in eight bytes per node: one table read per byte of text. Thread-safety:
// immutable. Memory: 8 bytes per different prefix of the tokens, and a little for gaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/types.h"

namespace clm {

inline constexpr SymbolId kNoToken = UINT32_MAX;

class TokenTrie {
 public:
  // Different prefixes of tokens, beyond which there may be no room.
  static constexpr size_t kMaxPrefixes = size_t{1} << 21;

  struct Entry {
    absl::string_view bytes;  // not empty; different from all others
    SymbolId id = 0;
  };
  struct Match {
    SymbolId id = kNoToken;  // none of the tokens
    uint32_t length = 0;     // bytes
  };

  // An empty trie matches nothing.
  TokenTrie() : TokenTrie(std::span<const Entry>{}) {}
  // Requires at most kMaxPrefixes prefixes.
  explicit TokenTrie(std::span<const Entry> entries);

  Match Longest(absl::string_view text) const {
    SymbolId last = 0;
    size_t length = 0;
    uint32_t base = root_base_;
    for (size_t i = 0; i < text.size(); ++i) {
      const uint32_t byte = static_cast<uint8_t>(text[i]);
      const uint32_t place = base ^ byte;
      const uint32_t link = nodes_[place].link;
      if ((link & kByteMask) != byte || (link & kUsed) == 0) break;
      if ((link & kEndsToken) != 0) {
        last = nodes_[place].id;
        length = i + 1;
      }
      base = link >> kBaseShift;
    }
    return length == 0 ? Match{} : Match{last, static_cast<uint32_t>(length)};
  }

 private:
  friend class TokenTrieBuilder;

  // A node's link: the byte that leads to it, two flags, and its base; its child by byte b is at base ^ b. No two nodes
  // have the same base, so the byte alone tells whose child a node is. Nodes without children share the base
  // kNoChildren.
  static constexpr uint32_t kByteMask = 0xFF;
  static constexpr uint32_t kUsed = 1U << 8;
  static constexpr uint32_t kEndsToken = 1U << 9;
  static constexpr int kBaseShift = 10;
  static constexpr uint32_t kNoChildren = 0;  // the block there stays empty

  struct Node {
    uint32_t link = 0;
    SymbolId id = 0;  // where a token ends
  };

  uint32_t root_base_ = kNoChildren;
  std::vector<Node> nodes_;  // a multiple of 256
};

}  // namespace clm
