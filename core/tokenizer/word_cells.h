// WordCells: words with how often each occurs, as tokens that a trainer joins in place.
//
// One array of 32-bit cells: a header for each word (its count), then its tokens. A new token covers the cells of the
// two it was joined from: its first cell holds its id, its last one the id again with the mark kInner, and what lies
// between has the mark too. So the token before a place is found without links, and a place inside a token never looks
// like the beginning of one. Headers have the mark as well and end the word before them.
//
//   header | first cell ... last cell | header | ...                  cell: kInner 1 bit | distance 11 bits | id 20
//   bits
//
// The distance is that of the cell from its word's first one: how a place finds its count. Words of more than kFar
// cells are found by binary search instead.
//
// A place is the index of a token's first cell. Thread-safety: as a vector's; Join() on different words may run at the
// same time. Memory: 4 bytes per cell.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/tokenizer/bpe_vocab.h"

namespace clm {

class WordCells {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;  // no token
  static constexpr uint64_t kMaxCells = uint64_t{1} << 32;

  // Tokens 0 .. tokens - 1 exist; tokens >= 256.
  explicit WordCells(uint32_t tokens);

  // Room for words of `tokens` tokens together.
  void Reserve(size_t tokens, size_t words) { cells_.reserve(tokens + words + 1); }
  // Append a word of at least one token; the bytes are tokens 0..255. Require cells() below kMaxCells afterwards.
  void Add(absl::string_view bytes, uint64_t count);
  void AddTokens(std::span<const SymbolId> tokens, uint64_t count);
  // Appends the words of `other`; both as after Compact().
  void Append(const WordCells& other);

  // Headers included.
  size_t cells() const { return cells_.size() - 1; }
  size_t memory_bytes() const {
    return (cells_.capacity() + token_cells_.capacity() + far_headers_.capacity()) * sizeof(uint32_t) +
           large_counts_.capacity() * sizeof(uint64_t);
  }

  // The id of the token that left and right will be joined to.
  SymbolId NewToken(SymbolId left, SymbolId right) {
    token_cells_.push_back(token_cells_[left] + token_cells_[right]);
    return static_cast<SymbolId>(token_cells_.size() - 1);
  }
  // The token that begins at `place`, kNone when none does.
  SymbolId TokenAt(uint32_t place) const {
    const uint32_t cell = cells_[place];
    return (cell & kInner) != 0 ? kNone : cell & kIdMask;
  }
  // The place behind `token` at `place`; no token begins there when the word ends with it.
  uint32_t Behind(uint32_t place, SymbolId token) const { return place + token_cells_[token]; }
  // The token that ends before `place`, kNone for the first place of a word.
  SymbolId TokenBefore(uint32_t place) const {
    return (cells_[place] & kDistanceMask) == 0 ? kNone : cells_[place - 1] & kIdMask;
  }
  // Where it begins.
  uint32_t Before(uint32_t place, SymbolId token) const { return place - token_cells_[token]; }
  // How often the word around `place` occurs.
  uint64_t CountAt(uint32_t place) const {
    const uint32_t distance = (cells_[place] & kDistanceMask) >> kIdBits;
    return CountOf(distance < kFar ? place - distance - 1 : FarHeader(place));
  }
  void Prefetch(uint32_t place) const { __builtin_prefetch(cells_.data() + place, 1); }

  // The tokens at `place` and at `right_place` behind it become `result`, which ends before `end`.
  void Join(uint32_t place, uint32_t right_place, uint32_t end, SymbolId result) {
    cells_[place] = (cells_[place] & kDistanceMask) | result;
    cells_[right_place] |= kInner;
    cells_[end - 1] = kInner | (cells_[end - 1] & kDistanceMask) | result;
  }

  // Drops words of one token and gives every token one cell. Places change.
  void Compact();

  // What follows requires that nothing was joined since Compact() or the constructor.

  // Calls visit(left, right, place, count) for every pair of neighbours between `begin` and `end`, each one of Cuts().
  template <typename Visit>
  void VisitPairs(size_t begin, size_t end, const Visit& visit) const {
    for (size_t header = begin; header < end;) {
      const uint64_t count = CountOf(header);
      size_t place = header + 1;
      for (; (cells_[place + 1] & kInner) == 0; ++place) {
        visit(cells_[place] & kIdMask, cells_[place + 1] & kIdMask, static_cast<uint32_t>(place), count);
      }
      header = place + 1;
    }
  }
  // Calls visit(tokens, count) for every word. The span dies with the call.
  template <typename Visit>
  void VisitWords(const Visit& visit) const {
    std::vector<SymbolId> tokens;
    for (size_t header = 0; header < cells();) {
      tokens.clear();
      size_t place = header + 1;
      for (; (cells_[place] & kInner) == 0; ++place) tokens.push_back(cells_[place] & kIdMask);
      visit(std::span<const SymbolId>(tokens), CountOf(header));
      header = place;
    }
  }
  // Between which the words can be shared out into about `parts` parts: ascending, 0 first and cells() last.
  std::vector<size_t> Cuts(size_t parts) const;

 private:
  static constexpr uint32_t kIdBits = 20;
  static constexpr uint32_t kIdMask = (1U << kIdBits) - 1;
  static constexpr uint32_t kInner = 1U << 31;
  static constexpr uint32_t kDistanceMask = ~(kInner | kIdMask);
  static constexpr uint32_t kFar = kDistanceMask >> kIdBits;
  // Of a header: counts from here on stand in large_counts_.
  static constexpr uint32_t kLarge = 1U << 30;
  static_assert(kMaxBpeVocabSize <= kIdMask + 1);

  static uint32_t Distance(size_t place, size_t first) {
    return static_cast<uint32_t>(std::min<size_t>(place - first, kFar)) << kIdBits;
  }
  uint64_t CountOf(size_t header) const {
    const uint32_t value = cells_[header] & ~kInner;
    return value < kLarge ? value : large_counts_[value - kLarge];
  }
  size_t FarHeader(uint32_t place) const {
    return *(std::upper_bound(far_headers_.begin(), far_headers_.end(), place) - 1);
  }
  // Fills in the header of a word of `tokens` tokens and makes room for it; returns where it begins.
  size_t OpenWord(size_t tokens, uint64_t count);

  std::vector<uint32_t> cells_;  // one header more behind the last word
  std::vector<uint32_t> token_cells_;
  std::vector<uint64_t> large_counts_;
  std::vector<uint32_t> far_headers_;  // of words longer than kFar, ascending
};

}  // namespace clm
