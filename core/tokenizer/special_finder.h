// SpecialFinder: where text spells a special token, or a token that is cut out of text.
//
// Thread-safety: immutable; shared by threads. Ownership: keeps copies of the spellings.
// Cost: one table look-up per byte, and one per different length of spelling at the bytes some spelling begins with.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/tokenizer/bpe_vocab.h"

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

  void Add(std::span<const BpeSpecial> specials, bool wanted);
  // The longest spelling at `position`: sets `length`, 0 for none.
  Entry At(absl::string_view text, size_t position, size_t& length) const;

  absl::flat_hash_map<std::string, Entry> entries_;
  std::vector<size_t> lengths_;  // different ones, longest first
  std::array<bool, 256> begins_{};
};

}  // namespace clm
