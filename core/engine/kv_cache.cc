#include "core/engine/kv_cache.h"

#include <algorithm>
#include <cstring>

#include "core/engine/kernels/dot.h"

namespace clm {
namespace {

constexpr size_t RoundUp(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

}  // namespace

size_t KvCache::SlotsOf(const KvShape& shape) { return RoundUp(shape.window + shape.batch - 1, kPanelRows); }

size_t KvCache::HeadBytes(const KvShape& shape) {
  const size_t keys = RoundUp(shape.head_size, kPanelColumns) * SlotsOf(shape);
  const size_t values = RoundUp(shape.head_size, kPanelRows) * SlotsOf(shape);
  return keys + values + 3 * sizeof(int32_t) * SlotsOf(shape);
}

uint64_t KvCache::LaneBytes(const KvShape& shape) { return HeadBytes(shape) * shape.kv_heads * shape.layers; }

KvCache::KvCache(const KvShape& shape, size_t lanes)
    : shape_(shape),
      slots_(SlotsOf(shape)),
      head_groups_(RoundUp(shape.head_size, kPanelColumns) / kPanelColumns),
      head_panels_(RoundUp(shape.head_size, kPanelRows) / kPanelRows),
      head_bytes_(HeadBytes(shape)),
      positions_(lanes),
      memory_(lanes * LaneBytes(shape)) {}

void KvCache::Copy(uint32_t from, uint32_t to) {
  if (from == to) return;
  const size_t used = static_cast<size_t>(std::min<uint64_t>(RoundUp(positions_[from], kPanelRows), slots_));
  for (size_t layer = 0; layer < shape_.layers; ++layer) {
    for (size_t head = 0; head < shape_.kv_heads; ++head) {
      const KvHead source = Head(from, layer, head);
      const KvHead target = Head(to, layer, head);
      std::memcpy(target.keys, source.keys, head_groups_ * kPanelColumns * used);
      for (size_t panel = 0; panel < head_panels_; ++panel) {
        const size_t at = panel * kPanelRows * slots_;
        std::memcpy(target.values + at, source.values + at, kPanelRows * used);
      }
      std::copy_n(source.key_sums, used, target.key_sums);
      std::copy_n(source.key_scales, used, target.key_scales);
      std::copy_n(source.value_scales, used, target.value_scales);
    }
  }
  positions_[to] = positions_[from];
}

void KvCache::Assign(const KvCache& other) {
  memory_ = other.memory_;
  positions_ = other.positions_;
}

KvHead KvCache::Head(uint32_t lane, size_t layer, size_t head) {
  int8_t* at = memory_.data() + ((lane * shape_.layers + layer) * shape_.kv_heads + head) * head_bytes_;
  KvHead result{};
  result.keys = at;
  at += head_groups_ * kPanelColumns * slots_;
  result.values = at;
  at += head_panels_ * kPanelRows * slots_;
  auto* words = static_cast<int32_t*>(static_cast<void*>(at));
  result.key_sums = words;
  result.key_scales = words + slots_;
  result.value_scales = words + 2 * slots_;
  return result;
}

void KvCache::StoreKey(const KvHead& head, size_t slot, const uint8_t* key, int32_t scale) const {
  constexpr size_t kGroupBytes = kPanelRows * kPanelColumns;
  int8_t* out = head.keys + slot / kPanelRows * head_groups_ * kGroupBytes + slot % kPanelRows * kPanelColumns;
  int32_t sum = 0;
  for (size_t i = 0; i < shape_.head_size; ++i) {
    const int weight = key[i] - kActivationOffset;
    out[i / kPanelColumns * kGroupBytes + i % kPanelColumns] = static_cast<int8_t>(weight);
    sum += weight;
  }
  head.key_sums[slot] = sum;
  head.key_scales[slot] = scale;
}

void KvCache::StoreValue(const KvHead& head, size_t slot, const uint8_t* value, int32_t scale) const {
  int8_t* out = head.values + slot / kPanelColumns * kPanelRows * kPanelColumns + slot % kPanelColumns;
  const size_t panel_bytes = slots_ * kPanelRows;
  for (size_t i = 0; i < shape_.head_size; ++i) {
    out[i / kPanelRows * panel_bytes + i % kPanelRows * kPanelColumns] =
        static_cast<int8_t>(value[i] - kActivationOffset);
  }
  head.value_scales[slot] = scale;
}

}  // namespace clm
