#include "core/engine/kv_cache.h"

#include <gtest/gtest.h>

#include <vector>

namespace clm {
namespace {

const std::vector<int> kVector = {1, -2, 3, -4, 5, -127};

std::vector<uint8_t> StoredVector() {
  std::vector<uint8_t> stored;
  for (const int value : kVector) stored.push_back(static_cast<uint8_t>(value + kActivationOffset));
  return stored;
}

KvShape Shape() { return {.layers = 2, .kv_heads = 3, .head_size = 6, .window = 20, .batch = 4}; }

TEST(KvCacheTest, StoresInThePanelLayoutOfProducts) {
  KvCache cache(Shape(), 2);
  EXPECT_EQ(cache.slots(), 32U);  // 20 + 4 - 1, in panels of 16
  EXPECT_EQ(cache.head_groups(), 2U);
  EXPECT_EQ(cache.head_panels(), 1U);
  const KvHead head = cache.Head(1, 1, 2);
  const std::vector<uint8_t> vector = StoredVector();
  cache.StoreKey(head, 19, vector.data(), 77);
  cache.StoreValue(head, 19, vector.data(), 88);
  for (size_t i = 0; i < vector.size(); ++i) {
    // Keys: panel 1, group i / 4, row 3. Values: panel 0, group 4, row i, column 3.
    EXPECT_EQ(head.keys[((1 * 2 + i / 4) * 16 + 3) * 4 + i % 4], kVector[i]);
    EXPECT_EQ(head.values[(4 * 16 + i) * 4 + 3], kVector[i]);
  }
  EXPECT_EQ(head.key_sums[19], -124);
  EXPECT_EQ(head.key_scales[19], 77);
  EXPECT_EQ(head.value_scales[19], 88);
}

TEST(KvCacheTest, CopiedLanesHoldTheSame) {
  KvCache cache(Shape(), 2);
  const std::vector<uint8_t> vector = StoredVector();
  for (size_t slot = 0; slot < 18; ++slot) {
    cache.StoreKey(cache.Head(0, 1, 0), slot, vector.data(), static_cast<int32_t>(slot));
    cache.StoreValue(cache.Head(0, 1, 0), slot, vector.data(), 5);
  }
  cache.Advance(0, 18);
  cache.Copy(0, 1);
  EXPECT_EQ(cache.position(1), 18U);
  const KvHead from = cache.Head(0, 1, 0);
  const KvHead to = cache.Head(1, 1, 0);
  EXPECT_TRUE(std::equal(from.keys, from.keys + 32 * 8, to.keys));
  EXPECT_TRUE(std::equal(from.values, from.values + 32 * 16, to.values));
  EXPECT_TRUE(std::equal(from.key_scales, from.key_scales + 18, to.key_scales));
  cache.Reset(1);
  EXPECT_EQ(cache.position(1), 0U);
  EXPECT_EQ(cache.position(0), 18U);
  KvCache other(Shape(), 2);
  other.Assign(cache);
  EXPECT_EQ(other.position(0), 18U);
  EXPECT_EQ(other.Head(0, 1, 0).key_scales[17], 17);
}

}  // namespace
}  // namespace clm
