// Bit histories: what a context remembers of the bits that followed it, in one byte.
//
// A history of up to four bits is kept exactly. A longer one is a pair of counts and the latest bit. Every bit raises
// its own count; a count above two that the bit speaks against loses its older evidence (k becomes about 1 + log2 k),
// so that a change shows at once and a long agreement is not forgotten entirely. Counts are bounded such that a pair is
// either one-sided (up to 40 : 0) or balanced (up to 5 : 5): what lies between is reached by neither kind of source for
// long.
//
// States are numbered by their total count, so a smaller number means less evidence; 0 is the empty history. The table
// is made by the compiler from these rules, with integers alone.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace clm {

struct BitHistoryTable {
  static constexpr size_t kMaxStates = 256;

  size_t states = 0;
  std::array<std::array<uint8_t, 2>, kMaxStates> next{};  // [state][bit]
  std::array<uint8_t, kMaxStates> zeros{};
  std::array<uint8_t, kMaxStates> ones{};
};

namespace bit_history_internal {

constexpr int kExactBits = 4;
constexpr std::array<int, 6> kCaps = {40, 20, 10, 6, 5, 5};  // of a count, by the other one

struct History {
  std::array<int, 2> counts{};
  int bits = 0;  // the exact bits, the latest lowest; beyond kExactBits the latest bit alone

  constexpr int total() const { return counts[0] + counts[1]; }
};

constexpr int Discounted(int count) {
  if (count <= 2) return count;
  return count <= 4 ? count - 1 : static_cast<int>(std::bit_width(static_cast<unsigned>(count)));
}

constexpr History Next(History history, int bit) {
  const auto own = static_cast<size_t>(bit);
  const size_t other = 1 - own;
  const bool exact = history.total() < kExactBits;
  ++history.counts[own];
  if (exact) {
    history.bits = history.bits << 1 | bit;
    return history;
  }
  history.counts[other] = std::min(Discounted(history.counts[other]), static_cast<int>(kCaps.size()) - 1);
  history.counts[own] = std::min(history.counts[own], kCaps[static_cast<size_t>(history.counts[other])]);
  history.bits = bit;
  if (history.total() > kExactBits) return history;
  // The discount led back among the exact ones: as if the own bits had come last.
  history.bits = 0;
  for (int i = 0; i < history.counts[other]; ++i) history.bits = history.bits << 1 | (1 - bit);
  for (int i = 0; i < history.counts[own]; ++i) history.bits = history.bits << 1 | bit;
  return history;
}

// A number for each history, small enough for a table: compilers give a constant only so many steps.
constexpr size_t kMaxKeys = 32 + size_t{41} * 41 * 2;
constexpr size_t KeyOf(const History& history) {
  if (history.total() <= kExactBits) return static_cast<size_t>(1 << history.total() | history.bits);
  return 32 + static_cast<size_t>((history.counts[0] * 41 + history.counts[1]) * 2 + history.bits);
}

struct HistoryList {
  size_t size = 0;
  std::array<History, BitHistoryTable::kMaxStates> items{};
  std::array<uint16_t, kMaxKeys> places{};  // by key: the place in items, counted from one

  constexpr bool Has(const History& history) const { return places[KeyOf(history)] != 0; }
  // Beyond the array: a compiler error.
  constexpr void Add(const History& history) {
    items[size++] = history;
    places[KeyOf(history)] = static_cast<uint16_t>(size);
  }
};

// Everything that can be reached from the empty history, by total, then in the order of discovery.
constexpr HistoryList AllHistories() {
  HistoryList found;
  found.Add({});
  for (size_t i = 0; i < found.size; ++i) {
    for (int bit = 0; bit < 2; ++bit) {
      const History next = Next(found.items[i], bit);
      if (!found.Has(next)) found.Add(next);
    }
  }
  HistoryList sorted;
  for (int total = 0; sorted.size < found.size; ++total) {
    for (size_t i = 0; i < found.size; ++i) {
      if (found.items[i].total() == total) sorted.Add(found.items[i]);
    }
  }
  return sorted;
}

constexpr BitHistoryTable MakeTable() {
  const HistoryList all = AllHistories();
  BitHistoryTable table;
  table.states = all.size;
  for (size_t i = 0; i < all.size; ++i) {
    table.zeros[i] = static_cast<uint8_t>(all.items[i].counts[0]);
    table.ones[i] = static_cast<uint8_t>(all.items[i].counts[1]);
    for (int bit = 0; bit < 2; ++bit) {
      const uint16_t place = all.places[KeyOf(Next(all.items[i], bit))];
      table.next[i][static_cast<size_t>(bit)] = static_cast<uint8_t>(place - 1);
    }
  }
  return table;
}

}  // namespace bit_history_internal

inline constexpr BitHistoryTable kBitHistories = bit_history_internal::MakeTable();

}  // namespace clm
