#include "core/base/rng.h"

#include <array>
#include <set>
#include <vector>

#include "core/base/byte_reader.h"
#include "core/base/digest.h"
#include "gmock/gmock.h"

namespace clm {
namespace {

using ::testing::ElementsAre;

TEST(PhiloxTest, GivesThePublishedValues) {  // known-answer vectors of Random123 for philox4x32-10
  EXPECT_THAT(Philox4x32({0, 0, 0, 0}, {0, 0}), ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  constexpr uint32_t kOnes = 0xffffffff;
  EXPECT_THAT(Philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  // Digits of pi.
  EXPECT_THAT(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(CounterRngTest, IsPhiloxKeyedByDigestAndCountedByIndex) {
  const Sha256Digest digest = Sha256Of("42:shuffle");
  ByteReader in(absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
  std::array<uint32_t, 2> key{};
  ASSERT_TRUE(in.ReadU32(key[0]) && in.ReadU32(key[1]));
  CounterRng rng(42, "shuffle", 0x700000005);
  for (uint32_t block = 0; block < 3; ++block) {
    for (const uint32_t word : Philox4x32({block, 0, 5, 7}, key)) EXPECT_EQ(rng.NextU32(), word);
  }
}

TEST(CounterRngTest, SeedPurposeAndIndexEachGiveAnotherStream) {
  std::set<uint64_t> firsts;
  for (const uint64_t seed : {0U, 1U, 2U}) {
    for (const char* purpose : {"init", "shuffle", "sample"}) {
      for (uint64_t index = 0; index < 100; ++index) firsts.insert(CounterRng(seed, purpose, index).NextU64());
    }
  }
  EXPECT_EQ(firsts.size(), 900u);
  EXPECT_EQ(CounterRng(1, "init", 2).NextU64(), CounterRng(1, "init", 2).NextU64());
}

TEST(CounterRngTest, WordsOfSixtyFourBitsAreTwoOfThirtyTwoLowFirst) {
  CounterRng narrow(3, "test", 0);
  CounterRng wide(3, "test", 0);
  const uint64_t low = narrow.NextU32();
  const uint64_t high = narrow.NextU32();
  EXPECT_EQ(wide.NextU64(), low | high << 32);
}

TEST(CounterRngTest, DoublesFillTheUnitIntervalEvenly) {
  CounterRng rng(4, "test", 0);
  constexpr int kDraws = 20000;
  std::vector<int> buckets(10);
  for (int i = 0; i < kDraws; ++i) {
    const double value = rng.NextDouble();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    ++buckets[static_cast<size_t>(value * 10)];
  }
  // Each bucket expects 2000 with a standard deviation of 42; five of them are 212.
  for (const int count : buckets) EXPECT_NEAR(count, kDraws / 10, 212);
}

TEST(CounterRngTest, BoundedDrawsAreEvenAndInRange) {
  CounterRng rng(5, "test", 0);
  std::vector<int> counts(7);
  for (int i = 0; i < 14000; ++i) ++counts[rng.NextBelow(7)];
  for (const int count : counts) EXPECT_NEAR(count, 2000, 208);  // standard deviation 41.4
  EXPECT_EQ(rng.NextBelow(1), 0u);
  // Half of all values lie above the largest multiple of this bound: rejection must end and stay below.
  constexpr uint64_t kBound = (uint64_t{1} << 63) + 1;
  for (int i = 0; i < 100; ++i) EXPECT_LT(rng.NextBelow(kBound), kBound);
  EXPECT_LE(rng.NextBelow(~uint64_t{0}), ~uint64_t{0} - 1);
}

}  // namespace
}  // namespace clm
