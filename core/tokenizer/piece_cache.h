// Tables from the bytes of a piece to its ids, in the innermost loop of BpeEncoder.
//
// PieceCache remembers the pieces that a text repeats, ShortTokenTable holds, once for a vocabulary, the pieces that
// are one token. A cache forgets the older of pieces whose hash values meet.
//
// Thread-safety: a cache belongs to one thread; a table is immutable after its last Add. No choice of pieces makes a
// look-up slow: each reads a few places.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/strings/string_view.h"
#include "core/base/huge_pages.h"
#include "core/base/types.h"

namespace clm {

// The bytes of a piece of 1 to 15 bytes, zeros behind them, and its length in the last byte.
struct ShortPiece {
  static constexpr size_t kMaxBytes = 15;

  uint64_t low;
  uint64_t high;

  // `padded` says that 16 bytes may be read from `piece` on.
  static ShortPiece Of(const char* piece, size_t length, bool padded) {
    ShortPiece key;
    if (padded) {
      std::memcpy(&key, piece, 16);
      key.low &= kMasks[length][0];
      key.high &= kMasks[length][1];
    } else {
      std::array<char, 16> bytes{};
      std::memcpy(bytes.data(), piece, length);
      std::memcpy(&key, bytes.data(), 16);
    }
    key.high |= uint64_t{length} << 56;
    return key;
  }

  uint64_t Hash() const {
    const absl::uint128 product = absl::uint128(low ^ 0x9E3779B97F4A7C15) * (high ^ 0xC2B2AE3D27D4EB4F);
    return absl::Uint128High64(product) ^ absl::Uint128Low64(product);
  }

  friend bool operator==(const ShortPiece& a, const ShortPiece& b) {
    return ((a.low ^ b.low) | (a.high ^ b.high)) == 0;
  }

 private:
  static constexpr std::array<std::array<uint64_t, 2>, 16> MakeMasks() {
    std::array<std::array<uint64_t, 2>, 16> masks{};
    for (size_t length = 0; length < 16; ++length) {
      for (size_t i = 0; i < length; ++i) masks[length][i / 8] |= uint64_t{0xFF} << (8 * (i % 8));
    }
    return masks;
  }
  static const std::array<std::array<uint64_t, 2>, 16> kMasks;
};

inline constexpr std::array<std::array<uint64_t, 2>, 16> ShortPiece::kMasks = ShortPiece::MakeMasks();

class PieceCache {
 public:
  // Ids that are kept beside a short piece; the ids of other pieces lie elsewhere.
  static constexpr size_t kInlineIds = 4;
  static constexpr size_t kElsewhere = 15;
  static constexpr size_t kMaxPieceBytes = 255;

  struct Slot {
    ShortPiece piece{};  // of length 0: empty
    std::array<SymbolId, kInlineIds> ids{};
  };
  struct alignas(64) Bucket {
    std::array<Slot, 2> slots;  // the younger one first
  };
  static_assert(sizeof(Bucket) == 64);

  // Begins small and doubles up to `max_slots`, a power of two and at least 2, while the text has more pieces to give.
  // Up to 32 bytes per slot for short pieces, and half as much again for others.
  explicit PieceCache(size_t max_slots);

  // Short pieces, as they are looked up in the innermost loop. Valid until Keep() says that the cache grew.
  class View;
  View view() const;
  // Whether the cache grew. Requires ids below 2^28, one at least.
  bool Keep(const ShortPiece& piece, std::span<const SymbolId> ids);
  // The ids of a piece for which the view said kElsewhere; none when they had to go. Valid until the next Keep().
  std::span<const SymbolId> FindElsewhere(const Bucket* bucket, const ShortPiece& piece) const;

  // Other pieces of up to kMaxPieceBytes bytes; none when they are not known. Valid until the next Keep().
  std::span<const SymbolId> Find(absl::string_view piece) const;
  void Keep(absl::string_view piece, std::span<const SymbolId> ids);

 private:
  static constexpr int kCountShift = 28;

  // A piece whose bytes and ids lie in words_.
  struct LongSlot {
    uint64_t hash = 0;
    uint32_t offset = 0;
    uint16_t bytes = 0;  // 0: empty
    uint16_t ids = 0;
    uint32_t generation = 0;
  };

  void Put(const Slot& slot);
  void Grow();
  // Begins words_ anew if so many more do not fit.
  void MakeRoom(size_t words);
  void GrowLong();
  LongSlot& LongSlotOf(uint64_t hash) { return long_slots_[hash & (long_slots_.size() - 1)]; }

  std::vector<Bucket, HugePageAllocator<Bucket>> buckets_;
  size_t max_buckets_;
  size_t pushed_out_ = 0;  // pieces, since the cache has its size
  std::vector<LongSlot> long_slots_;
  size_t long_pushed_out_ = 0;
  std::vector<uint32_t> words_;
  size_t max_words_;
  uint32_t generation_ = 1;  // of words_
};

class PieceCache::View {
 public:
  View(const Bucket* buckets, size_t mask) : buckets_(buckets), mask_(mask) {}

  const Bucket* BucketOf(const ShortPiece& piece) const {
    const Bucket* bucket = buckets_ + (piece.Hash() & mask_);
    __builtin_prefetch(bucket);
    return bucket;
  }
  // Writes kInlineIds ids, of which the first so many as returned are the piece's; 0 when they are not known;
  // kElsewhere when FindElsewhere() may know them.
  static size_t Find(const ShortPiece& piece, const Bucket* bucket, SymbolId* out) {
    const Slot& slot = bucket->slots[bucket->slots[1].piece == piece ? 1 : 0];
    if (!(slot.piece == piece)) return 0;
    std::memcpy(out, slot.ids.data(), sizeof slot.ids);
    const SymbolId first = slot.ids[0];
    out[0] = first & ((SymbolId{1} << kCountShift) - 1);
    return first >> kCountShift;
  }

 private:
  const Bucket* buckets_;
  size_t mask_;
};

inline PieceCache::View PieceCache::view() const { return {buckets_.data(), buckets_.size() - 1}; }

class ShortTokenTable {
 public:
  // For up to `tokens` tokens.
  explicit ShortTokenTable(size_t tokens);

  // Remembers the token unless its place is full, which no look-up may rely on.
  void Add(const ShortPiece& piece, SymbolId id);
  // The token, or UINT32_MAX.
  SymbolId Find(const ShortPiece& piece) const {
    size_t place = piece.Hash() >> shift_;
    for (size_t probe = 0; probe < kMaxProbes; ++probe, ++place) {
      if (entries_[place].piece == piece) return entries_[place].id;
      if (entries_[place].id == UINT32_MAX) break;
    }
    return UINT32_MAX;
  }
  void Prefetch(const ShortPiece& piece) const { __builtin_prefetch(&entries_[piece.Hash() >> shift_]); }

 private:
  static constexpr size_t kMaxProbes = 8;

  struct Entry {
    ShortPiece piece{};
    SymbolId id = UINT32_MAX;
  };

  int shift_;
  std::vector<Entry, HugePageAllocator<Entry>> entries_;
};

}  // namespace clm
