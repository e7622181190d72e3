#include "core/coordinate/pair_table.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace clm {
namespace {

std::vector<SymbolId> IdsFrom(SymbolId first_id, size_t count) {
  std::vector<SymbolId> ids(count);
  std::iota(ids.begin(), ids.end(), first_id);
  return ids;
}

}  // namespace

PairTable::PairTable(std::span<const SymbolPair> pairs, SymbolId first_id)
    : PairTable(pairs, IdsFrom(first_id, pairs.size())) {}

PairTable::PairTable(std::span<const SymbolPair> pairs, std::span<const SymbolId> ids) {
  if (!ids.empty()) first_id_ = *std::min_element(ids.begin(), ids.end());
  const size_t buckets = std::bit_ceil(std::max<size_t>(pairs.size(), 2));
  const size_t filter_bits = buckets * 16;
  bucket_shift_ = 64 - std::countr_zero(buckets);
  filter_shift_ = 64 - std::countr_zero(filter_bits);
  filter_.resize((filter_bits + 63) / 64);
  offsets_.resize(buckets + 1);

  const auto key_of = [&](uint32_t i) { return PairKey(pairs[i].left, pairs[i].right); };
  std::vector<uint32_t> order(pairs.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const uint64_t bucket_a = Hash(key_of(a)) >> bucket_shift_;
    const uint64_t bucket_b = Hash(key_of(b)) >> bucket_shift_;
    return bucket_a != bucket_b ? bucket_a < bucket_b : key_of(a) < key_of(b);
  });
  for (const uint32_t i : order) {
    const uint64_t hash = Hash(key_of(i));
    const uint64_t bit = hash >> filter_shift_;
    filter_[bit >> 6] |= uint64_t{1} << (bit & 63);
    ++offsets_[(hash >> bucket_shift_) + 1];
    keys_.push_back(key_of(i));
    ids_.push_back(ids[i]);
    lefts_.push_back(pairs[i].left);
  }
  std::partial_sum(offsets_.begin(), offsets_.end(), offsets_.begin());
  std::sort(lefts_.begin(), lefts_.end());
  lefts_.erase(std::unique(lefts_.begin(), lefts_.end()), lefts_.end());
}

bool PairTable::HasLeft(SymbolId id) const { return std::binary_search(lefts_.begin(), lefts_.end(), id); }

SymbolId PairTable::FindInBucket(uint64_t key, size_t bucket) const {
  const auto begin = keys_.begin() + offsets_[bucket];
  const auto end = keys_.begin() + offsets_[bucket + 1];
  const auto found = std::lower_bound(begin, end, key);
  if (found == end || *found != key) return kNoSymbol;
  return ids_[static_cast<size_t>(found - keys_.begin())];
}

}  // namespace clm
