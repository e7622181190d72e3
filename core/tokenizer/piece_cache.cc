#include "core/tokenizer/piece_cache.h"

#include <xxhash.h>

#include <bit>

namespace clm {
namespace {

constexpr size_t kFirstBuckets = size_t{1} << 11;
constexpr size_t kFirstLongSlots = size_t{1} << 8;
constexpr size_t kSlotsPerLongSlot = 4;
constexpr size_t kSlotsPerWord = 2;

}  // namespace

PieceCache::PieceCache(size_t max_slots)
    : buckets_(std::min(max_slots / 2, kFirstBuckets)),
      max_buckets_(max_slots / 2),
      long_slots_(kFirstLongSlots),
      max_words_(std::max<size_t>(4096, max_slots * kSlotsPerWord)) {}

bool PieceCache::Keep(const ShortPiece& piece, std::span<const SymbolId> ids) {
  const bool grows = pushed_out_ > buckets_.size() / 32 && buckets_.size() < max_buckets_;
  if (grows) Grow();
  Slot slot;
  slot.piece = piece;
  if (ids.size() <= kInlineIds) {
    std::copy(ids.begin(), ids.end(), slot.ids.begin());
    slot.ids[0] |= static_cast<SymbolId>(ids.size()) << kCountShift;
  } else {
    MakeRoom(ids.size());
    slot.ids = {static_cast<SymbolId>(kElsewhere) << kCountShift, static_cast<uint32_t>(words_.size()),
                static_cast<uint32_t>(ids.size()), generation_};
    words_.insert(words_.end(), ids.begin(), ids.end());
  }
  Put(slot);
  return grows;
}

std::span<const SymbolId> PieceCache::FindElsewhere(const Bucket* bucket, const ShortPiece& piece) const {
  const Slot& slot = bucket->slots[bucket->slots[1].piece == piece ? 1 : 0];
  if (slot.ids[3] != generation_) return {};
  return {words_.data() + slot.ids[1], slot.ids[2]};
}

void PieceCache::MakeRoom(size_t words) {
  if (words_.size() + words <= max_words_) return;
  words_.clear();
  ++generation_;
}

void PieceCache::Put(const Slot& slot) {
  std::array<Slot, 2>& slots = buckets_[slot.piece.Hash() & (buckets_.size() - 1)].slots;
  if (slots[1].piece.high != 0) ++pushed_out_;
  slots[1] = slots[0];
  slots[0] = slot;
}

void PieceCache::Grow() {
  std::vector<Bucket, HugePageAllocator<Bucket>> old(2 * buckets_.size());
  old.swap(buckets_);
  for (const Bucket& bucket : old) {
    for (const Slot* slot : {&bucket.slots[1], &bucket.slots[0]}) {
      if (slot->piece.high != 0) Put(*slot);
    }
  }
  pushed_out_ = 0;
}

void PieceCache::GrowLong() {
  std::vector<LongSlot> old(2 * long_slots_.size());
  old.swap(long_slots_);
  for (const LongSlot& slot : old) LongSlotOf(slot.hash) = slot;
  long_pushed_out_ = 0;
}

std::span<const SymbolId> PieceCache::Find(absl::string_view piece) const {
  const uint64_t hash = XXH3_64bits(piece.data(), piece.size());
  const LongSlot& slot = long_slots_[hash & (long_slots_.size() - 1)];
  if (slot.hash != hash || slot.bytes != piece.size() || slot.generation != generation_) return {};
  const uint32_t* bytes = words_.data() + slot.offset;
  if (std::memcmp(bytes, piece.data(), piece.size()) != 0) return {};
  return {bytes + (piece.size() + 3) / 4, slot.ids};
}

void PieceCache::Keep(absl::string_view piece, std::span<const SymbolId> ids) {
  if (long_pushed_out_ > long_slots_.size() / 16 && long_slots_.size() < 2 * max_buckets_ / kSlotsPerLongSlot)
    GrowLong();
  const size_t byte_words = (piece.size() + 3) / 4;
  MakeRoom(byte_words + ids.size());
  const uint64_t hash = XXH3_64bits(piece.data(), piece.size());
  LongSlot& slot = LongSlotOf(hash);
  if (slot.bytes != 0) ++long_pushed_out_;
  const size_t offset = words_.size();
  slot = {hash, static_cast<uint32_t>(offset), static_cast<uint16_t>(piece.size()), static_cast<uint16_t>(ids.size()),
          generation_};
  words_.resize(offset + byte_words);
  std::memcpy(words_.data() + offset, piece.data(), piece.size());
  words_.insert(words_.end(), ids.begin(), ids.end());
}

ShortTokenTable::ShortTokenTable(size_t tokens)
    : shift_(64 - std::max(4, static_cast<int>(std::bit_width(2 * tokens)))),
      entries_((size_t{1} << (64 - shift_)) + kMaxProbes) {}

void ShortTokenTable::Add(const ShortPiece& piece, SymbolId id) {
  size_t place = piece.Hash() >> shift_;
  for (size_t probe = 0; probe < kMaxProbes; ++probe, ++place) {
    if (entries_[place].id != UINT32_MAX) continue;
    entries_[place] = {piece, id};
    return;
  }
}

}  // namespace clm
