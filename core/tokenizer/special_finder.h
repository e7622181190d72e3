// SpecialFinder: where text spells a special token.
//
// Thread-safety: immutable; shared by threads. Ownership: the specials must outlive it.
// Cost: one table look-up per byte, and one per different length of special at the bytes some special begins with.
#pragma once

#include <array>
#include <cstddef>
#include <span>
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

  explicit SpecialFinder(std::span<const BpeSpecial> specials);

  // The first special that begins at or after `from`; at one place the longest. Unless `is_end`, only places are judged
  // where no text to come could spell a longer one.
  Match Find(absl::string_view text, size_t from, bool is_end) const;

 private:
  Match At(absl::string_view text, size_t position) const;

  absl::flat_hash_map<absl::string_view, SymbolId> ids_;
  std::vector<size_t> lengths_;  // different ones, longest first
  std::array<bool, 256> begins_{};
};

}  // namespace clm
