#include "core/predict/adaptive/bit_history.h"

#include <cstdlib>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

size_t After(absl::string_view bits) {
  size_t state = 0;
  for (char bit : bits) state = kBitHistories.next[state][bit == '1' ? 1 : 0];
  return state;
}

TEST(BitHistoryTest, FitsIntoOneByteAndIsClosed) {
  ASSERT_GT(kBitHistories.states, 150U);
  ASSERT_LE(kBitHistories.states, BitHistoryTable::kMaxStates);
  for (size_t state = 0; state < kBitHistories.states; ++state) {
    for (size_t bit = 0; bit < 2; ++bit) {
      ASSERT_LT(kBitHistories.next[state][bit], kBitHistories.states);
      ASSERT_NE(kBitHistories.next[state][bit], 0) << "nothing leads back to the empty history";
    }
  }
}

TEST(BitHistoryTest, NumbersGrowWithTheEvidence) {
  for (size_t state = 1; state < kBitHistories.states; ++state) {
    EXPECT_GE(kBitHistories.zeros[state] + kBitHistories.ones[state],
              kBitHistories.zeros[state - 1] + kBitHistories.ones[state - 1]);
  }
}

TEST(BitHistoryTest, FourBitsAreKeptExactly) {
  std::set<size_t> states;
  for (int length = 0; length <= 4; ++length) {
    for (int bits = 0; bits < 1 << length; ++bits) {
      std::string history;
      for (int i = length; i-- > 0;) history += (bits >> i & 1) != 0 ? '1' : '0';
      states.insert(After(history));
    }
  }
  EXPECT_EQ(states.size(), 1U + 2 + 4 + 8 + 16);
}

TEST(BitHistoryTest, ABitRaisesItsCountAndDiscountsALargeOther) {
  const size_t zeros = After(std::string(30, '0'));
  EXPECT_EQ(kBitHistories.zeros[zeros], 30);
  EXPECT_EQ(kBitHistories.ones[zeros], 0);
  const size_t broken = kBitHistories.next[zeros][1];
  EXPECT_EQ(kBitHistories.zeros[broken], 5);
  EXPECT_EQ(kBitHistories.ones[broken], 1);
  EXPECT_EQ(After(std::string(40, '0')), After(std::string(99, '0')));
}

TEST(BitHistoryTest, IsSymmetric) {
  for (size_t length = 1; length < 64; ++length) {
    std::string bits;
    std::string opposite;
    for (size_t i = 0; i < length; ++i) {
      const bool one = (i * i * 7 + i / 3) % 5 < 2;
      bits += one ? '1' : '0';
      opposite += one ? '0' : '1';
    }
    EXPECT_EQ(kBitHistories.zeros[After(bits)], kBitHistories.ones[After(opposite)]) << bits;
    EXPECT_EQ(kBitHistories.ones[After(bits)], kBitHistories.zeros[After(opposite)]) << bits;
  }
}

}  // namespace
}  // namespace clm
