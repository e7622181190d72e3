#include "core/base/cancellation.h"

#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;

TEST(CancellationTokenTest, DefaultTokenNeverCancels) {
  const CancellationToken token;
  EXPECT_FALSE(token.cancelled());
  EXPECT_OK(token.Check());
}

TEST(CancellationTokenTest, EveryCopySeesTheCancellation) {
  CancellationSource source;
  const CancellationToken before = source.token();
  const CancellationToken copy = before;
  EXPECT_OK(copy.Check());
  source.Cancel();
  EXPECT_TRUE(before.cancelled());
  EXPECT_THAT(copy.Check(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(source.token().Check(), StatusIs(absl::StatusCode::kCancelled));
}

TEST(CancellationTokenTest, FirstReasonWins) {
  CancellationSource source;
  source.Expire();
  source.Cancel();
  EXPECT_THAT(source.token().Check(), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(CancellationTokenTest, OutlivesItsSource) {
  CancellationToken token;
  {
    CancellationSource source;
    token = source.token();
    source.Cancel();
  }
  EXPECT_TRUE(token.cancelled());
}

}  // namespace
}  // namespace clm
