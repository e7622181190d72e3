#include "core/coordinate/pair_table.h"

#include <bit>
#include <numeric>

#include "core/base/check.h"

namespace clm {
namespace {

// Above this many pairs most symbols of a text are part of some pair, and asking for parts settles nothing.
constexpr size_t kThinPairs = 512;
// Parts cost a byte for each id below the largest; beyond this they leave the second-level cache.
constexpr SymbolId kThinMaxId = SymbolId{1} << 19;
// A square of this side is 1 MiB.
constexpr SymbolId kMaxSquareSide = 512;
// Keys of a bucket that a displacement is looked for at once. Two keys per bucket are usual.
constexpr size_t kMaxBucketKeys = 32;
constexpr uint32_t kMaxDisplacement = 1U << 16;
constexpr int kMaxSeeds = 256;

std::vector<SymbolId> IdsFrom(SymbolId first_id, size_t count) {
  std::vector<SymbolId> ids(count);
  std::iota(ids.begin(), ids.end(), first_id);
  return ids;
}

}  // namespace

PairTable::PairTable(std::span<const SymbolPair> pairs, SymbolId first_id)
    : PairTable(pairs, IdsFrom(first_id, pairs.size())) {}

PairTable::PairTable(std::span<const SymbolPair> pairs, std::span<const SymbolId> ids) : size_(pairs.size()) {
  if (!ids.empty()) first_id_ = *std::min_element(ids.begin(), ids.end());
  SymbolId max_id = 0;
  lefts_.reserve(pairs.size());
  for (const SymbolPair& pair : pairs) {
    max_id = std::max({max_id, pair.left, pair.right});
    lefts_.push_back(pair.left);
  }
  std::sort(lefts_.begin(), lefts_.end());
  lefts_.erase(std::unique(lefts_.begin(), lefts_.end()), lefts_.end());
  const bool thin = !pairs.empty() && pairs.size() <= kThinPairs && max_id <= kThinMaxId;
  if (thin) FillParts(pairs, max_id);
  side_ = max_id + 2;
  if (!thin && !pairs.empty() && side_ <= kMaxSquareSide) {
    FillSquare(pairs, ids);
  } else {
    FillHash(pairs, ids);
  }
}

void PairTable::FillSquare(std::span<const SymbolPair> pairs, std::span<const SymbolId> ids) {
  square_.assign(size_t{side_} * side_, kNoSymbol);
  for (size_t i = 0; i < pairs.size(); ++i) square_[pairs[i].left * size_t{side_} + pairs[i].right] = ids[i];
}

void PairTable::FillHash(std::span<const SymbolPair> pairs, std::span<const SymbolId> ids) {
  const size_t buckets = std::bit_ceil(std::max<size_t>(pairs.size() / 2, 2));
  const size_t slots = std::bit_ceil(std::max<size_t>(pairs.size() + pairs.size() / 2, 2));
  const size_t filter_bits = std::bit_ceil(std::max<size_t>(pairs.size(), 2)) * 16;
  bucket_shift_ = 64 - std::countr_zero(buckets);
  slot_shift_ = 64 - std::countr_zero(slots);
  filter_shift_ = 64 - std::countr_zero(filter_bits);
  std::vector<uint64_t> keys;
  keys.reserve(pairs.size());
  for (const SymbolPair& pair : pairs) keys.push_back(PairKey(pair.left, pair.right));
  // Whoever chooses pairs to spread badly under one seed cannot have chosen them against all.
  bool placed = false;
  for (int round = 0; !placed && round < kMaxSeeds; ++round) {
    seed_ = static_cast<uint64_t>(round) * 0xA24BAED4963EE407U;
    placed = TryToPlace(keys, ids);
  }
  CLM_CHECK(placed);
  filter_.assign((filter_bits + 63) / 64, 0);
  for (const uint64_t key : keys) {
    const uint64_t bit = Hash(key, seed_) >> filter_shift_;
    filter_[bit >> 6] |= uint64_t{1} << (bit & 63);
  }
}

// Full buckets first, while there is room: each gets the smallest displacement that sends its keys to free slots.
bool PairTable::TryToPlace(std::span<const uint64_t> keys, std::span<const SymbolId> ids) {
  const size_t buckets = size_t{1} << (64 - bucket_shift_);
  const size_t slots = size_t{1} << (64 - slot_shift_);
  std::vector<uint32_t> ends(buckets + 1);
  for (const uint64_t key : keys) ++ends[(Hash(key, seed_) >> bucket_shift_) + 1];
  if (*std::max_element(ends.begin(), ends.end()) > kMaxBucketKeys) return false;
  std::vector<std::vector<uint32_t>> buckets_of_size(kMaxBucketKeys + 1);
  for (size_t b = 0; b < buckets; ++b) buckets_of_size[ends[b + 1]].push_back(static_cast<uint32_t>(b));
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  std::vector<uint32_t> members(keys.size());
  std::vector<uint32_t> next(ends.begin(), ends.end() - 1);
  for (size_t i = 0; i < keys.size(); ++i) {
    members[next[Hash(keys[i], seed_) >> bucket_shift_]++] = static_cast<uint32_t>(i);
  }

  displacements_.assign(buckets, 0);
  slots_.assign(slots, {});
  std::vector<Slot> wanted;
  for (size_t size = kMaxBucketKeys; size > 0; --size) {
    for (const uint32_t bucket : buckets_of_size[size]) {
      wanted.clear();
      for (const uint32_t i : std::span(members).subspan(ends[bucket], size)) {
        wanted.push_back({.key = keys[i], .id = ids[i]});
      }
      if (!PlaceBucket(wanted, displacements_[bucket])) return false;
    }
  }
  return true;
}

bool PairTable::PlaceBucket(std::span<const Slot> wanted, uint32_t& displacement) {
  const auto slot_of = [&](const Slot& each) -> Slot& {
    return slots_[SlotOf(Hash(each.key, seed_), displacement, slot_shift_)];
  };
  for (displacement = 0; displacement < kMaxDisplacement; ++displacement) {
    size_t done = 0;
    for (; done < wanted.size() && slot_of(wanted[done]).id == kNoSymbol; ++done) slot_of(wanted[done]) = wanted[done];
    if (done == wanted.size()) return true;
    for (size_t i = 0; i < done; ++i) slot_of(wanted[i]) = {};
  }
  return false;
}

void PairTable::FillParts(std::span<const SymbolPair> pairs, SymbolId max_id) {
  parts_.resize(std::bit_ceil(size_t{max_id} + 2));
  for (const SymbolPair& pair : pairs) {
    parts_[pair.left] |= 1;
    parts_[pair.right] |= 2;
  }
}

bool PairTable::HasLeft(SymbolId id) const { return std::binary_search(lefts_.begin(), lefts_.end(), id); }

}  // namespace clm
