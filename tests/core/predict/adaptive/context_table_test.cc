#include "core/predict/adaptive/context_table.h"

#include <set>

#include "gtest/gtest.h"

namespace clm {
namespace {

TEST(ContextTableTest, FourContextsShareALineAndAreFoundAgain) {
  ContextTable table(8);
  ASSERT_EQ(table.line_count(), 256U);
  std::set<size_t> places;
  for (uint8_t check = 1; check <= 4; ++check) {
    const size_t place = table.Find(7, check);
    places.insert(place);
    table.states()[place + 1] = check;
    table.states()[place + 15] = static_cast<uint8_t>(100 + check);
    EXPECT_GE(place + 1, 7 * ContextTable::kLineBytes + 4);
    EXPECT_LT(place + 15, 8 * ContextTable::kLineBytes);
  }
  EXPECT_EQ(places.size(), 4U);
  for (uint8_t check = 1; check <= 4; ++check) {
    const size_t place = table.Find(7, check);
    EXPECT_EQ(table.states()[place + 1], check);
    EXPECT_EQ(table.states()[place + 15], 100 + check);
  }
}

TEST(ContextTableTest, TheFifthTakesTheSlotWithTheLeastEvidence) {
  ContextTable table(8);
  for (uint8_t check = 1; check <= 4; ++check) table.states()[table.Find(0, check) + 1] = check == 3 ? 5 : 50;
  const size_t weakest = table.Find(0, 3);
  table.states()[weakest + 9] = 9;
  EXPECT_EQ(table.Find(0, 200), weakest);
  EXPECT_EQ(table.states()[weakest + 1], 0);
  EXPECT_EQ(table.states()[weakest + 9], 0);
  EXPECT_EQ(table.states()[table.Find(0, 4) + 1], 50);
}

TEST(ContextTableTest, CopiesAreIndependentAndResetForgets) {
  ContextTable table(8);
  const size_t place = table.Find(255, 0xff);
  table.states()[place + 2] = 77;
  ContextTable copy = table;
  copy.states()[place + 2] = 1;
  EXPECT_EQ(table.states()[place + 2], 77);
  table.Reset();
  EXPECT_EQ(table.states()[table.Find(255, 0xff) + 2], 0);
}

}  // namespace
}  // namespace clm
