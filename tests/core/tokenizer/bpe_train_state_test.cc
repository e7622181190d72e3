#include "core/tokenizer/bpe_train_state.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::MemoryFolder;
using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::HasSubstr;

BpeLearned SomeMerges() {
  BpeLearned learned = BytesOnly();
  for (const auto& [left, right] : {std::pair<SymbolId, SymbolId>{'a', 'b'}, {256, 'c'}, {257, 257}}) {
    learned.merges.push_back({left, right, static_cast<SymbolId>(learned.tokens.size())});
    learned.tokens.push_back(learned.tokens[left] + learned.tokens[right]);
  }
  return learned;
}

TEST(BpeTrainStateTest, RoundTrips) {
  const TemporaryDirectory folder(MemoryFolder());
  ASSERT_OK_AND_ASSIGN(const BpeLearned none, ReadTrainState(PosixFileSystem(), folder.File("state"), "me"));
  EXPECT_TRUE(none.merges.empty());
  EXPECT_EQ(none.tokens.size(), 256);
  const BpeLearned want = SomeMerges();
  ASSERT_OK(WriteTrainState(PosixFileSystem(), folder.File("state"), "me", want));
  ASSERT_OK_AND_ASSIGN(const BpeLearned got, ReadTrainState(PosixFileSystem(), folder.File("state"), "me"));
  EXPECT_EQ(got.merges, want.merges);
  EXPECT_EQ(got.tokens, want.tokens);
  EXPECT_THAT(ReadTrainState(PosixFileSystem(), folder.File("state"), "you"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another training (me; this one is you)")));
}

TEST(BpeTrainStateTest, NoticesDamageAnywhere) {
  const TemporaryDirectory folder(MemoryFolder());
  ASSERT_OK(WriteTrainState(PosixFileSystem(), folder.File("state"), "me", SomeMerges()));
  ASSERT_OK_AND_ASSIGN(const std::string sound, ReadFile(PosixFileSystem(), folder.File("state"), 1000));
  for (size_t at = 0; at < sound.size(); ++at) {
    std::string damaged = sound;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    ASSERT_OK(WriteFileAtomically(PosixFileSystem(), folder.File("damaged"), damaged));
    EXPECT_THAT(ReadTrainState(PosixFileSystem(), folder.File("damaged"), "me"), StatusIs(absl::StatusCode::kDataLoss));
    ASSERT_OK(WriteFileAtomically(PosixFileSystem(), folder.File("damaged"), sound.substr(0, at)));
    EXPECT_THAT(ReadTrainState(PosixFileSystem(), folder.File("damaged"), "me"), StatusIs(absl::StatusCode::kDataLoss));
  }
}

// A merge may use only tokens that are there already.
TEST(BpeTrainStateTest, RefusesMergesOutOfOrder) {
  const TemporaryDirectory folder(MemoryFolder());
  BpeLearned learned = SomeMerges();
  learned.merges[0].right = 256;
  ASSERT_OK(WriteTrainState(PosixFileSystem(), folder.File("state"), "me", learned));
  EXPECT_THAT(ReadTrainState(PosixFileSystem(), folder.File("state"), "me"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not in order")));
}

}  // namespace
}  // namespace clm
