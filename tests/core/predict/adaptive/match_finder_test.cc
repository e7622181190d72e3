#include "core/predict/adaptive/match_finder.h"

#include <string>

#include "absl/strings/string_view.h"
#include "core/base/rng.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

// A finder with its history, fed byte by byte.
class Feed {
 public:
  explicit Feed(uint32_t min_length, int history_log2 = 16) : history_(history_log2), finder_(min_length, 12) {}

  void Push(absl::string_view bytes) {
    for (char c : bytes) {
      const auto byte = static_cast<uint8_t>(c);
      recent_ = recent_ << 8 | byte;
      history_.Push(byte);
      finder_.Advance(history_, recent_);
      finder_.Find(history_);
    }
  }
  MatchFinder& finder() { return finder_; }

 private:
  ByteHistory history_;
  MatchFinder finder_;
  uint64_t recent_ = 0;
};

TEST(MatchFinderTest, ExpectsWhatCameAfterTheSameBytes) {
  Feed feed(6);
  feed.Push("the quick brown fox; the qui");
  EXPECT_EQ(feed.finder().length(), 7U);
  EXPECT_EQ(feed.finder().expected(), 'c');
  feed.Push("ck");
  EXPECT_EQ(feed.finder().length(), 9U);
  EXPECT_EQ(feed.finder().expected(), ' ');
  feed.Push("!");
  EXPECT_EQ(feed.finder().length(), 0U);
}

TEST(MatchFinderTest, NeedsAsManyBytesAsItIsTold) {
  Feed feed(12);
  feed.Push("abcdefghijklmno......abcdefghijk");
  EXPECT_EQ(feed.finder().length(), 0U);
  feed.Push("l");
  EXPECT_EQ(feed.finder().length(), 12U);
  EXPECT_EQ(feed.finder().expected(), 'm');
}

TEST(MatchFinderTest, AMatchMayOverlapItself) {
  Feed feed(6);
  feed.Push(std::string(100, 'z'));
  EXPECT_GT(feed.finder().length(), 50U);
  EXPECT_EQ(feed.finder().expected(), 'z');
}

TEST(MatchFinderTest, ABrokenMatchIsLookedForAgainAfterTheByte) {
  Feed feed(6);
  feed.Push("0123456789abc+0123456");
  ASSERT_EQ(feed.finder().expected(), '7');
  feed.finder().Break();
  EXPECT_EQ(feed.finder().length(), 0U);
  feed.Push("7");
  EXPECT_EQ(feed.finder().expected(), '8');
}

TEST(MatchFinderTest, NeverReachesBeyondTheHistory) {
  // Far more bytes than the ring holds: what it expects must be in it, which the comparison with the bytes proves.
  Feed feed(6, 12);
  CounterRng rng(3, "bytes", 0);
  std::string all;
  for (int i = 0; i < 3000; ++i) all += static_cast<char>('a' + rng.NextBelow(3));
  for (int round = 0; round < 6; ++round) feed.Push(all);
  EXPECT_GE(feed.finder().length(), 6U);
}

TEST(MatchFinderTest, ResetForgets) {
  Feed feed(6);
  feed.Push("abcdefgh abcdefg");
  ASSERT_GT(feed.finder().length(), 0U);
  feed.finder().Reset();
  EXPECT_EQ(feed.finder().length(), 0U);
}

}  // namespace
}  // namespace clm
