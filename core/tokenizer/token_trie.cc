#include "core/tokenizer/token_trie.h"

#include <algorithm>

namespace clm {
namespace {

constexpr size_t kBlock = 256;
// Places tried for the children of a node before a new block is opened.
constexpr int kMaxTries = 64;

}  // namespace

// Lays out the nodes level by level. The entries are sorted, so that the ones below a node are neighbours.
class TokenTrieBuilder {
 public:
  TokenTrieBuilder(std::span<const TokenTrie::Entry> entries, TokenTrie& trie)
      : entries_(entries.begin(), entries.end()), trie_(trie) {
    std::sort(entries_.begin(), entries_.end(),
              [](const TokenTrie::Entry& a, const TokenTrie::Entry& b) { return a.bytes < b.bytes; });
  }

  void Build() {
    AddBlock();
    free_.clear();  // the block of kNoChildren
    std::vector<Child> children = ChildrenOf(0, entries_.size(), 0);
    if (!children.empty()) trie_.root_base_ = Place(children, 0);
    for (size_t next = 0; next < pending_.size(); ++next) {
      const Pending node = pending_[next];
      size_t first = node.first;
      if (entries_[first].bytes.size() == node.depth) {
        trie_.nodes_[node.place].link |= TokenTrie::kEndsToken;
        trie_.nodes_[node.place].id = entries_[first].id;
        ++first;
      }
      children = ChildrenOf(first, node.end, node.depth);
      if (!children.empty()) trie_.nodes_[node.place].link |= Place(children, node.depth) << TokenTrie::kBaseShift;
    }
  }

 private:
  struct Pending {
    uint32_t place;
    size_t first;  // entries below the node
    size_t end;
    size_t depth;
  };
  struct Child {
    uint8_t byte;
    size_t first;
    size_t end;
  };

  void AddBlock() {
    free_.erase(free_.begin(), free_.begin() + static_cast<std::ptrdiff_t>(free_front_));
    std::erase_if(free_, [this](uint32_t place) { return IsTaken(place); });
    free_front_ = 0;
    const auto first = static_cast<uint32_t>(trie_.nodes_.size());
    trie_.nodes_.resize(first + kBlock);
    is_base_.resize(first + kBlock);
    for (uint32_t place = first; place < first + kBlock; ++place) free_.push_back(place);
  }

  std::vector<Child> ChildrenOf(size_t first, size_t end, size_t depth) const {
    std::vector<Child> children;
    while (first < end) {
      const char byte = entries_[first].bytes[depth];
      size_t next = first + 1;
      while (next < end && entries_[next].bytes[depth] == byte) ++next;
      children.push_back({static_cast<uint8_t>(byte), first, next});
      first = next;
    }
    return children;
  }

  // Gives the children their places and returns their base.
  uint32_t Place(std::span<const Child> children, size_t depth) {
    const uint32_t base = FindBase(children);
    is_base_[base] = true;
    for (const Child& child : children) {
      trie_.nodes_[base ^ child.byte].link = child.byte | TokenTrie::kUsed;
      pending_.push_back({base ^ child.byte, child.first, child.end, depth + 1});
    }
    return base;
  }

  uint32_t FindBase(std::span<const Child> children) {
    // Places taken meanwhile leave the front of the list for good.
    while (free_front_ < free_.size() && IsTaken(free_[free_front_])) ++free_front_;
    int tries = 0;
    for (size_t i = free_front_; i < free_.size() && tries < kMaxTries; ++i) {
      if (IsTaken(free_[i])) continue;
      ++tries;
      const uint32_t base = free_[i] ^ children[0].byte;
      if (Fits(base, children)) return base;
    }
    // What was tried in vain so often is left behind.
    for (int skipped = 0; tries == kMaxTries && skipped < kMaxTries / 2; ++free_front_) {
      if (!IsTaken(free_[free_front_])) ++skipped;
    }
    const auto first = static_cast<uint32_t>(trie_.nodes_.size());
    AddBlock();
    return first;
  }

  bool IsTaken(uint32_t place) const { return (trie_.nodes_[place].link & TokenTrie::kUsed) != 0; }
  bool Fits(uint32_t base, std::span<const Child> children) const {
    return !is_base_[base] && std::none_of(children.begin(), children.end(),
                                           [&](const Child& child) { return IsTaken(base ^ child.byte); });
  }

  std::vector<TokenTrie::Entry> entries_;
  TokenTrie& trie_;
  std::vector<Pending> pending_;
  std::vector<uint32_t> free_;  // every place once, ascending; some were taken since
  size_t free_front_ = 0;       // all before are taken or given up
  std::vector<bool> is_base_;
};

TokenTrie::TokenTrie(std::span<const Entry> entries) { TokenTrieBuilder(entries, *this).Build(); }

}  // namespace clm
