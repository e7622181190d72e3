// KvCache: keys and values of the lanes of one session, int8 with one scale per vector, in rings.
//
// Keys are stored as a matrix of positions x dimensions and values as one of dimensions x positions, both in the panel
// layout of kernels/dot.h, so that attention is two products with the same kernel. Position p lies in slot p % slots();
// the ring has room for the window and for a batch of positions that are written before they are read.
//
// Thread-safety: different lanes may be used from different threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/huge_pages.h"
#include "core/engine/kernels/dot.h"

namespace clm {

struct KvShape {
  size_t layers = 0;
  size_t kv_heads = 0;
  size_t head_size = 0;
  size_t window = 0;
  size_t batch = 1;  // positions of a lane that may be written before the first of them is read
};

// What one head of one layer of one lane keeps.
struct KvHead {
  int8_t* keys;         // [slots / 16] panels of [head groups][16][4]
  int8_t* values;       // [head panels] panels of [slots / 4][16][4]
  int32_t* key_sums;    // [slots] sums of the int8 values
  int32_t* key_scales;  // [slots] key = int8 * scale, in the caller's units
  int32_t* value_scales;
};

class KvCache {
 public:
  KvCache(const KvShape& shape, size_t lanes);

  static uint64_t LaneBytes(const KvShape& shape);

  void Reset(uint32_t lane) { positions_[lane] = 0; }
  void Copy(uint32_t from, uint32_t to);
  // All lanes as in `other`, of the same shape and lanes.
  void Assign(const KvCache& other);

  const KvShape& shape() const { return shape_; }
  size_t slots() const { return slots_; }
  size_t head_groups() const { return head_groups_; }
  size_t head_panels() const { return head_panels_; }
  // Symbols fed since the reset.
  uint64_t position(uint32_t lane) const { return positions_[lane]; }
  void Advance(uint32_t lane, size_t symbols) { positions_[lane] += symbols; }

  KvHead Head(uint32_t lane, size_t layer, size_t head);
  // Stores one key and one value [head_size], given kActivationOffset too high.
  void StoreKey(const KvHead& head, size_t slot, const uint8_t* key, int32_t scale) const;
  void StoreValue(const KvHead& head, size_t slot, const uint8_t* value, int32_t scale) const;

 private:
  static size_t SlotsOf(const KvShape& shape);
  static size_t HeadBytes(const KvShape& shape);

  const KvShape shape_;
  const size_t slots_;
  const size_t head_groups_;
  const size_t head_panels_;
  const size_t head_bytes_;
  std::vector<uint64_t> positions_;
  std::vector<int8_t, HugePageAllocator<int8_t>> memory_;
};

}  // namespace clm
