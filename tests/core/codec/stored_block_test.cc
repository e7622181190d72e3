#include "core/codec/stored_block.h"

#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;

TEST(StoredBlockTest, IsTheBytesThemselves) {
  const StoredBlock coder;
  EXPECT_EQ(*coder.Encode("abc", {}), "abc");
  EXPECT_EQ(*coder.Decode("abc", 3, {}), "abc");
  EXPECT_EQ(coder.parameters(), CodecParameters{});
}

TEST(StoredBlockTest, RefusesAnotherLengthAndStopsWhenCancelled) {
  const StoredBlock coder;
  EXPECT_THAT(coder.Decode("abc", 4, {}), StatusIs(absl::StatusCode::kDataLoss));
  CancellationSource source;
  source.Expire();
  EXPECT_THAT(coder.Encode("abc", source.token()), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

}  // namespace
}  // namespace clm
