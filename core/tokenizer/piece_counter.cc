#include "core/tokenizer/piece_counter.h"

#include <algorithm>
#include <cstring>

#include "absl/hash/hash.h"

namespace clm {
namespace {

constexpr size_t kLeastSlots = 1024;
constexpr size_t kBlockBytes = size_t{1} << 16;
constexpr int kBlockShift = 24;  // of the block in a place; the rest is the offset in it
constexpr uint64_t kPlaceMask = (uint64_t{1} << 56) - 1;
constexpr size_t kBatch = 32;  // pieces whose slots are fetched together

uint64_t LowBytes(uint64_t word, size_t bytes) { return bytes >= 8 ? word : word & ((uint64_t{1} << (8 * bytes)) - 1); }

// The order of the bytes in memory.
uint64_t BigEndian(uint64_t word) { return __builtin_bswap64(word); }

}  // namespace

PieceCounter::PieceCounter(size_t limit_bytes) : limit_bytes_(limit_bytes), slots_(kLeastSlots) {}

// Of a short piece with kShortRead readable bytes.
inline PieceCounter::Key PieceCounter::ShortKeyOf(const char* piece, size_t bytes) {
  Key key;
  std::memcpy(&key.head, piece, sizeof(key.head));
  std::memcpy(&key.tail, piece + sizeof(key.head), sizeof(key.tail));
  key.head = LowBytes(key.head, bytes);
  key.tail = LowBytes(key.tail, bytes > sizeof(key.head) ? bytes - sizeof(key.head) : 0);
  key.tail |= uint64_t{bytes} << kTagShift;
  key.hash = absl::HashOf(key.head, key.tail);
  key.piece = absl::string_view(piece, bytes);
  return key;
}

PieceCounter::Key PieceCounter::KeyOf(absl::string_view piece) {
  if (piece.size() <= kShort) {
    std::array<char, kShortRead> copy{};
    std::memcpy(copy.data(), piece.data(), piece.size());
    Key key = ShortKeyOf(copy.data(), piece.size());
    key.piece = piece;
    return key;
  }
  Key key;
  std::memcpy(&key.head, piece.data(), sizeof(key.head));
  key.tail = kLongTag << kTagShift | kPlaceMask;  // no place: equal to no slot's
  key.hash = absl::HashOf(piece);
  key.piece = piece;
  return key;
}

size_t PieceCounter::AddPieces(absl::string_view text, size_t begin, std::span<const uint32_t> ends) {
  std::array<Key, kBatch> keys;
  for (size_t done = 0; done < ends.size();) {
    const size_t batch = std::min(kBatch, ends.size() - done);
    const size_t mask = slots_.size() - 1;
    for (size_t i = 0; i < batch; ++i) {
      const size_t end = ends[done + i];
      keys[i] = end - begin <= kShort && begin + kShortRead <= text.size()
                    ? ShortKeyOf(text.data() + begin, end - begin)
                    : KeyOf(text.substr(begin, end - begin));
      begin = end;
      __builtin_prefetch(&slots_[keys[i].hash & mask], 1);
    }
    for (size_t i = 0; i < batch; ++i) {
      // Most pieces are short, known, and where they belong.
      Slot& slot = slots_[keys[i].hash & (slots_.size() - 1)];
      if (slot.head == keys[i].head && slot.tail == keys[i].tail) {
        ++slot.count;
      } else if (!AddKey(keys[i], 1)) {
        return done + i;
      }
    }
    done += batch;
  }
  return ends.size();
}

bool PieceCounter::Add(absl::string_view piece, uint64_t count) { return AddKey(KeyOf(piece), count); }

bool PieceCounter::AddKey(const Key& key, uint64_t count) {
  size_t at = SlotFor(key);
  if (slots_[at].tail == 0) {
    if (!MakeRoom(key)) return false;
    at = SlotFor(key);
    slots_[at].head = key.head;
    slots_[at].tail = IsLong(key.tail) ? Store(key) : key.tail;
    ++size_;
    distinct_bytes_ += key.piece.size();
  }
  slots_[at].count += count;
  return true;
}

// Where the key is, or would be.
size_t PieceCounter::SlotFor(const Key& key) const {
  const size_t mask = slots_.size() - 1;
  size_t at = key.hash & mask;
  while (slots_[at].tail != 0 && !Holds(slots_[at], key)) at = (at + 1) & mask;
  return at;
}

bool PieceCounter::Holds(const Slot& slot, const Key& key) const {
  if (slot.head != key.head) return false;
  if (!IsLong(key.tail)) return slot.tail == key.tail;
  if (!IsLong(slot.tail)) return false;
  LongHeader header;
  std::memcpy(&header, Block(slot.tail), sizeof(header));
  return header.hash == key.hash && header.bytes == key.piece.size() &&
         std::memcmp(Block(slot.tail) + sizeof(header), key.piece.data(), key.piece.size()) == 0;
}

// Whether one more piece fits; doubles the table when that is needed for it.
bool PieceCounter::MakeRoom(const Key& key) {
  const bool must_grow = 10 * (size_ + 1) > 7 * slots_.size();
  size_t wanted = memory_bytes();
  if (must_grow) wanted += 2 * slots_.size() * sizeof(Slot);
  if (IsLong(key.tail) && block_used_ + sizeof(LongHeader) + key.piece.size() > block_size_) {
    wanted += std::max(kBlockBytes, sizeof(LongHeader) + key.piece.size());
  }
  if (wanted > limit_bytes_ && size_ > 0) return false;
  if (must_grow) Grow();
  return true;
}

void PieceCounter::Grow() {
  std::vector<Slot> slots(2 * slots_.size());
  slots.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : slots) {
    if (slot.tail == 0) continue;
    size_t at = HashOf(slot) & mask;
    while (slots_[at].tail != 0) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

// Copies a long piece; returns the tail of its slot.
uint64_t PieceCounter::Store(const Key& key) {
  const LongHeader header{key.hash, key.piece.size()};
  const size_t bytes = sizeof(header) + key.piece.size();
  if (block_used_ + bytes > block_size_) {
    block_size_ = std::max(kBlockBytes, bytes);
    block_used_ = 0;
    block_bytes_ += block_size_;
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block_size_));
  }
  char* const to = blocks_.back().get() + block_used_;
  std::memcpy(to, &header, sizeof(header));
  std::memcpy(to + sizeof(header), key.piece.data(), key.piece.size());
  const uint64_t place = uint64_t{blocks_.size() - 1} << kBlockShift | block_used_;
  block_used_ += bytes;
  return kLongTag << kTagShift | place;
}

const char* PieceCounter::Block(uint64_t tail) const {
  const uint64_t place = tail & kPlaceMask;
  return blocks_[place >> kBlockShift].get() + (place & ((uint64_t{1} << kBlockShift) - 1));
}

uint64_t PieceCounter::HashOf(const Slot& slot) const {
  if (!IsLong(slot.tail)) return absl::HashOf(slot.head, slot.tail);
  LongHeader header;
  std::memcpy(&header, Block(slot.tail), sizeof(header));
  return header.hash;
}

absl::string_view PieceCounter::PieceOf(const Slot& slot, std::array<char, kShort + 1>& copy) const {
  if (IsLong(slot.tail)) {
    LongHeader header;
    std::memcpy(&header, Block(slot.tail), sizeof(header));
    return {Block(slot.tail) + sizeof(header), header.bytes};
  }
  std::memcpy(copy.data(), &slot.head, sizeof(slot.head));
  std::memcpy(copy.data() + sizeof(slot.head), &slot.tail, sizeof(slot.tail));
  return {copy.data(), slot.tail >> kTagShift};
}

bool PieceCounter::Before(const Slot& a, const Slot& b) const {
  if (a.head != b.head) return BigEndian(a.head) < BigEndian(b.head);
  std::array<char, kShort + 1> copy_a;
  std::array<char, kShort + 1> copy_b;
  return PieceOf(a, copy_a) < PieceOf(b, copy_b);
}

std::span<const PieceCounter::Slot> PieceCounter::SortSlots() {
  size_t used = 0;
  for (const Slot& slot : slots_) {
    if (slot.tail != 0) slots_[used++] = slot;
  }
  const std::span<Slot> sorted(slots_.data(), used);
  std::sort(sorted.begin(), sorted.end(), [this](const Slot& a, const Slot& b) { return Before(a, b); });
  return sorted;
}

void PieceCounter::Clear() {
  std::fill(slots_.begin(), slots_.end(), Slot{});
  size_ = 0;
  distinct_bytes_ = 0;
  blocks_.clear();
  block_used_ = block_size_ = block_bytes_ = 0;
}

}  // namespace clm
