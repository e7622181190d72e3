// SpecialFinder: where text spells a special token, or a token that is cut out of text.
//
// Thread-safety: immutable; shared by threads. Ownership: keeps nothing of what it was made from.
// Cost: one table look-up per byte, and the bytes of the spellings begun at each place where one may begin.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/tokenizer/bpe_vocab.h"
#include "core/tokenizer/token_trie.h"

namespace clm {

class SpecialFinder {
 public:
  struct Match {
    size_t position = 0;  // where it begins, or, without one, up to where (exclusive) none can begin
    size_t length = 0;    // 0: none
    SymbolId id = 0;
  };

  // Those without a spelling are never found. Text that spells one of `skipped` is passed over: nothing is found in it.
  explicit SpecialFinder(std::span<const BpeSpecial> wanted, std::span<const BpeSpecial> skipped = {});

  // The first special that begins at or after `from`; at one place the longest. Unless `is_end`, only places are judged
  // where no text to come could spell a longer one.
  Match Find(absl::string_view text, size_t from, bool is_end) const;

 private:
  struct Entry {
    SymbolId id = 0;
    bool wanted = false;
  };

  std::vector<Entry> entries_;
  TokenTrie trie_;  // spellings; ids are places in entries_
  size_t longest_ = 1;
  std::array<bool, 256> begins_{};
};

}  // namespace clm
