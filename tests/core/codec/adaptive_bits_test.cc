#include "core/codec/adaptive_bits.h"

#include <cmath>
#include <vector>

#include "core/base/rng.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

TEST(AdaptiveBitTest, ARunCostsLittle) {
  BitWriter out;
  AdaptiveBit bit;
  for (int i = 0; i < 10000; ++i) bit.Code(out, 0);
  EXPECT_LE(out.Finish().size(), 5U);
}

TEST(AdaptiveBitTest, BiasedBitsCostTheirEntropy) {
  CounterRng rng(1, "bits", 0);
  BitWriter out;
  AdaptiveBit bit;
  constexpr int kBits = 100000;
  for (int i = 0; i < kBits; ++i) bit.Code(out, rng.NextBelow(10) == 0 ? 1 : 0);
  const double ideal = kBits * (-0.1 * std::log2(0.1) - 0.9 * std::log2(0.9)) / 8;
  EXPECT_LT(static_cast<double>(out.Finish().size()), 1.015 * ideal);
}

TEST(AdaptiveEliasTest, EveryNumberComesBack) {
  std::vector<uint64_t> values = {1, 2, 3, 7, 8, 9, 1000, (uint64_t{1} << 40) - 1, uint64_t{1} << 40};
  CounterRng rng(2, "numbers", 0);
  for (int i = 0; i < 2000; ++i) values.push_back(1 + (rng.NextU64() >> (24 + rng.NextBelow(40))));
  BitWriter out;
  AdaptiveElias writing(2);
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(writing.Code(out, i % 2, values[i]), values[i]);
  const std::string payload = out.Finish();
  BitReader in(payload);
  AdaptiveElias reading(2);
  for (size_t i = 0; i < values.size(); ++i) ASSERT_EQ(reading.Code(in, i % 2, 1), values[i]) << i;
  EXPECT_TRUE(in.Finished());
}

TEST(AdaptiveEliasTest, ANumberThatIsTooLongIsReadAsNothing) {
  const std::string payload(64, '\0');  // zero bytes are ones to the coder: a length without end
  BitReader in(payload);
  EXPECT_EQ(AdaptiveElias(1).Code(in, 0, 1), 0U);
}

TEST(AdaptiveTreeTest, EveryWidthComesBack) {
  for (int width = 0; width <= 32; ++width) {
    CounterRng rng(3, "tree", static_cast<uint64_t>(width));
    std::vector<uint32_t> values;
    for (int i = 0; i < 50; ++i) values.push_back(static_cast<uint32_t>(rng.NextBelow(uint64_t{1} << width)));
    BitWriter out;
    AdaptiveTree writing(width);
    for (const uint32_t value : values) writing.Code(out, value);
    const std::string payload = out.Finish();
    BitReader in(payload);
    AdaptiveTree reading(width);
    for (const uint32_t value : values) ASSERT_EQ(reading.Code(in, 0), value) << "width " << width;
    EXPECT_TRUE(in.Finished());
  }
}

TEST(AdaptiveTreeTest, WhatComesAgainCostsLess) {
  BitWriter out;
  AdaptiveTree tree(12);
  for (int i = 0; i < 1000; ++i) tree.Code(out, 1234);
  EXPECT_LE(out.Finish().size(), 25U);
}

}  // namespace
}  // namespace clm
