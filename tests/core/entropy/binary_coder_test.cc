#include "core/entropy/binary_coder.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

struct Decision {
  int bit;
  uint32_t probability;
};

std::string Encode(const std::vector<Decision>& decisions) {
  BinaryEncoder encoder;
  for (const Decision& decision : decisions) encoder.Encode(decision.bit, decision.probability);
  return encoder.Finish();
}

// Whether `payload` gives these bits and ends where they do.
bool Gives(const std::string& payload, const std::vector<Decision>& decisions) {
  BinaryDecoder decoder(payload);
  bool equal = true;
  for (const Decision& decision : decisions) {
    equal = decoder.Decode(decision.probability) == decision.bit && equal;
  }
  return equal && decoder.Finished();
}

// Bits drawn with probabilities around `center`, so that the payload is about as long as their information.
std::vector<Decision> Draw(uint64_t seed, size_t count, uint32_t center) {
  CounterRng rng(seed, "bits", 0);
  std::vector<Decision> decisions(count);
  for (Decision& decision : decisions) {
    decision.probability = 1 + static_cast<uint32_t>(rng.NextBelow(2 * uint64_t{center} - 1));
    decision.bit = rng.NextBelow(65536) < decision.probability ? 1 : 0;
  }
  return decisions;
}

double Bits(const std::vector<Decision>& decisions) {
  double bits = 0;
  for (const Decision& decision : decisions) {
    bits -= std::log2((decision.bit != 0 ? decision.probability : 65536.0 - decision.probability) / 65536.0);
  }
  return bits;
}

TEST(BinaryCoderTest, NoBitsAreNoBytes) {
  EXPECT_EQ(Encode({}), "");
  EXPECT_TRUE(Gives("", {}));
  EXPECT_FALSE(Gives(std::string(1, '\0'), {}));
}

TEST(BinaryCoderTest, RoundTripsAtTheInformationContent) {
  for (const uint32_t center : {2U, 300U, 8000U, 32768U}) {
    for (const size_t count : {1U, 2U, 7U, 100U, 30000U}) {
      const std::vector<Decision> decisions = Draw(center, count, center);
      const std::string payload = Encode(decisions);
      EXPECT_TRUE(Gives(payload, decisions)) << center << " " << count;
      EXPECT_LE(static_cast<double>(payload.size()) * 8, Bits(decisions) * 1.000001 + 16) << center << " " << count;
    }
  }
}

TEST(BinaryCoderTest, SurvivesBitsThatWereNotExpected) {
  std::vector<Decision> decisions;
  for (int i = 0; i < 3000; ++i) decisions.push_back({i % 2, i % 2 != 0 ? 1U : 65535U});
  const std::string payload = Encode(decisions);
  EXPECT_NEAR(static_cast<double>(payload.size()), 3000 * 2.0, 3);
  EXPECT_TRUE(Gives(payload, decisions));
}

TEST(BinaryCoderTest, KeepsToTheIntervalHoweverNarrow) {
  // The middle of the interval again and again: its ends stay on two sides of a border of bytes for as long as can be.
  BinaryInterval interval;
  interval.low = 0x7fffffffffffffff;
  interval.high = 0x8000000000000000;
  EXPECT_EQ(interval.Split(65535), interval.low);
  interval.Narrow(1, interval.Split(1));
  EXPECT_EQ(interval.high, interval.low);
  EXPECT_TRUE(interval.TopByteSettled());
  size_t bytes = 0;
  EXPECT_EQ(interval.Shortest(bytes), interval.low);
  EXPECT_EQ(bytes, 8U);
}

TEST(BinaryCoderTest, ShortestTailIsInTheIntervalAndNoneIsShorter) {
  CounterRng rng(5, "intervals", 0);
  for (int round = 0; round < 2000; ++round) {
    BinaryInterval interval;
    interval.low = rng.NextU64() >> rng.NextBelow(64);
    interval.high = interval.low + (rng.NextU64() >> rng.NextBelow(64)) % (~interval.low | 1);
    size_t bytes = 0;
    const uint64_t value = interval.Shortest(bytes);
    ASSERT_GE(value, interval.low);
    ASSERT_LE(value, interval.high);
    ASSERT_TRUE(bytes == 8 || value << (8 * bytes) == 0) << bytes;
    if (bytes == 0) continue;
    const uint64_t step = bytes == 1 ? 0 : uint64_t{1} << (8 * (9 - bytes));  // of numbers with one byte less
    const uint64_t next = step == 0 ? 0 : (interval.low + step - 1) / step * step;
    ASSERT_TRUE(next < interval.low || next > interval.high) << interval.low << " " << interval.high;
  }
}

TEST(BinaryCoderTest, HasOneLegalPayload) {
  const std::vector<Decision> decisions = Draw(9, 2000, 20000);
  const std::string payload = Encode(decisions);
  for (size_t length = 0; length < payload.size(); ++length) {
    EXPECT_FALSE(Gives(payload.substr(0, length), decisions)) << length;
  }
  EXPECT_FALSE(Gives(payload + '\0', decisions));
  EXPECT_FALSE(Gives(payload + '\x7f', decisions));
  BinaryDecoder decoder(absl::string_view(payload).substr(0, 20));
  for (const Decision& decision : decisions) decoder.Decode(decision.probability);
  EXPECT_TRUE(decoder.PastEnd());
}

}  // namespace
}  // namespace clm
