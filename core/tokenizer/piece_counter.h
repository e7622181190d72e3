// PieceCounter: how often each different piece of text occurred.
//
// An open-addressing table of 24-byte slots: pieces of up to 15 bytes stand in the slot itself, longer ones in blocks
// beside it. Look-ups of many pieces overlap their cache misses. Hashes are seeded per process: no text can choose its
// collisions; nothing that comes out depends on them.
//
// Thread-safety: one thread. Ownership: owns what it counts; views of pieces live until the next change.
// Memory: 24 bytes per slot, at most 7/10 of them used, and the bytes of pieces over 15 bytes; while the table doubles,
// the old one too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"

namespace clm {

class PieceCounter {
 public:
  // Grows no larger than `limit_bytes`, unless one piece alone needs more.
  explicit PieceCounter(size_t limit_bytes = SIZE_MAX);

  PieceCounter(PieceCounter&&) = default;
  PieceCounter& operator=(PieceCounter&&) = default;

  // Counts the pieces of `text` that end at `ends` (ascending; the first begins at `begin`), once each. Returns how
  // many were counted: fewer than all when there is no room for the next one.
  size_t AddPieces(absl::string_view text, size_t begin, std::span<const uint32_t> ends);
  // Adds `count` occurrences of a piece of at least one byte; false, and nothing done, when there is no room for it.
  bool Add(absl::string_view piece, uint64_t count);

  size_t limit_bytes() const { return limit_bytes_; }
  void set_limit_bytes(size_t limit_bytes) { limit_bytes_ = limit_bytes; }
  size_t size() const { return size_; }                        // different pieces
  uint64_t distinct_bytes() const { return distinct_bytes_; }  // their lengths together
  size_t memory_bytes() const { return slots_.size() * sizeof(Slot) + block_bytes_; }

  // Calls visit(piece, count) for each different piece, in no order. The view dies with the call.
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    std::array<char, kShort + 1> copy;
    for (const Slot& slot : slots_) {
      if (slot.tail != 0) visit(PieceOf(slot, copy), slot.count);
    }
  }
  // The same in order of the bytes, and everything is forgotten. The table keeps its size: nothing is allocated.
  template <typename Visit>
  void Drain(const Visit& visit) {
    std::array<char, kShort + 1> copy;
    for (const Slot& slot : SortSlots()) visit(PieceOf(slot, copy), slot.count);
    Clear();
  }
  void Clear();

 private:
  static constexpr size_t kShort = 15;
  static constexpr size_t kShortRead = 16;
  static constexpr uint64_t kLongTag = 0xFF;
  static constexpr int kTagShift = 56;

  // A short piece: its bytes, zeros, and in the highest byte of `tail` its length. A long one: `head` its first eight
  // bytes, `tail` kLongTag in the highest byte and where it is in blocks_. An empty slot has no tail.
  struct Slot {
    uint64_t head = 0;
    uint64_t tail = 0;
    uint64_t count = 0;
  };
  struct Key {
    uint64_t head = 0;
    uint64_t tail = 0;
    uint64_t hash = 0;
    absl::string_view piece;
  };
  // Before the bytes of a long piece in its block.
  struct LongHeader {
    uint64_t hash = 0;
    uint64_t bytes = 0;
  };

  static Key ShortKeyOf(const char* piece, size_t bytes);
  static Key KeyOf(absl::string_view piece);
  static bool IsLong(uint64_t tail) { return tail >> kTagShift == kLongTag; }
  bool AddKey(const Key& key, uint64_t count);
  bool Holds(const Slot& slot, const Key& key) const;
  size_t SlotFor(const Key& key) const;
  bool MakeRoom(const Key& key);
  void Grow();
  uint64_t Store(const Key& key);
  const char* Block(uint64_t tail) const;
  uint64_t HashOf(const Slot& slot) const;
  absl::string_view PieceOf(const Slot& slot, std::array<char, kShort + 1>& copy) const;
  bool Before(const Slot& a, const Slot& b) const;
  std::span<const Slot> SortSlots();

  size_t limit_bytes_;
  std::vector<Slot> slots_;
  size_t size_ = 0;
  uint64_t distinct_bytes_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t block_used_ = 0;  // of the last one
  size_t block_size_ = 0;
  size_t block_bytes_ = 0;  // of all
};

}  // namespace clm
