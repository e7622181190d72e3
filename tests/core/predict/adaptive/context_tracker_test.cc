#include "core/predict/adaptive/context_tracker.h"

#include <array>
#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

using Hashes = std::array<uint64_t, ContextTracker::kContexts>;

Hashes After(absl::string_view text) {
  ByteHistory history(12);
  ContextTracker tracker;
  for (char c : text) {
    history.Push(static_cast<uint8_t>(c));
    tracker.Push(static_cast<uint8_t>(c), history);
  }
  Hashes hashes{};
  tracker.Hashes(hashes);
  return hashes;
}

TEST(ContextTrackerTest, OrdersLookAtTheirBytesOnly) {
  for (size_t order = 0; order < ContextTracker::kOrders; ++order) {
    const std::string first = "first.uvwxyz";
    std::string second = first;
    second[first.size() - 3 - order] = '#';  // the last byte that it does not see
    EXPECT_EQ(After(first)[order], After(second)[order]) << order;
    second[first.size() - 2 - order] = '#';
    EXPECT_NE(After(first)[order], After(second)[order]) << order;
  }
}

TEST(ContextTrackerTest, ContextsOfEqualValuesDiffer) {
  const Hashes hashes = After("");
  for (size_t i = 0; i + 1 < hashes.size(); ++i) {
    for (size_t j = i + 1; j + 1 < hashes.size(); ++j) EXPECT_NE(hashes[i], hashes[j]) << i << " " << j;
  }
}

TEST(ContextTrackerTest, WordsIgnoreTheirCaseAndWhatSeparatesThem) {
  EXPECT_EQ(After("one The rive")[5], After("two the RIVe")[5]);
  EXPECT_NE(After("one the rive")[5], After("one the live")[5]);
  EXPECT_EQ(After("big river")[6], After("BIG,  (river")[6]);
  EXPECT_NE(After("big river")[6], After("dry river")[6]);
}

TEST(ContextTrackerTest, ColumnsSeeTheByteAbove) {
  EXPECT_EQ(After("12,4\n77,9\n55,")[7], After("3,\n12,9\n66,")[7]);
  EXPECT_NE(After("12,4\n77,9\n55,")[7], After("12,4\n77,8\n55,")[7]);
  EXPECT_EQ(After("x\ny\nlonger")[7], After("1\n2\nlinger")[7]) << "nothing is above";
}

TEST(ContextTrackerTest, FieldsCountSeparatorsOfTheLine) {
  EXPECT_EQ(After("aaaaaaaaaa\nc d")[8], After("aaaaaaaaaa\nxyz d")[8]);
  EXPECT_NE(After("aaaaaaaaaa\nc d")[8], After("aaaaaaaaaa\nc e d")[8]);
}

TEST(ContextTrackerTest, FollowersAreThoseOfTheSameTwoBytes) {
  EXPECT_EQ(After("ab1 ab2 ab")[10], After("xxab1 yyab2 zab")[10]);
  EXPECT_NE(After("ab1 ab2 ab")[10], After("ab1 ab3 ab")[10]);
}

TEST(ContextTrackerTest, MatchContextTellsNoMatchFromOne) {
  ContextTracker tracker;
  EXPECT_NE(tracker.MatchHash(0, 0), tracker.MatchHash(0, 6));
  EXPECT_EQ(tracker.MatchHash(1, 0), tracker.MatchHash(2, 0));
  EXPECT_NE(tracker.MatchHash(1, 7), tracker.MatchHash(2, 7));
  EXPECT_EQ(tracker.MatchHash(1, 15), tracker.MatchHash(1, 400));
}

TEST(ContextTrackerTest, ResetForgets) {
  ByteHistory history(12);
  ContextTracker tracker;
  for (char c : absl::string_view("some words\nand lines")) {
    history.Push(static_cast<uint8_t>(c));
    tracker.Push(static_cast<uint8_t>(c), history);
  }
  tracker.Reset();
  Hashes hashes{};
  tracker.Hashes(hashes);
  EXPECT_EQ(hashes, After(""));
}

}  // namespace
}  // namespace clm
