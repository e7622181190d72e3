#include "server/service/page_token.h"

#include <string>

#include "absl/strings/ascii.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

TEST(PageTokenTest, ComesBackWithItsFilterOnly) {
  const std::string token = MakePageToken(42, "10");
  EXPECT_EQ(ReadPageToken(token, "10").value(), 42u);
  EXPECT_THAT(ReadPageToken(token, "20"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_token")));
  EXPECT_EQ(ReadPageToken("", "10").value(), 0u);
}

TEST(PageTokenTest, IsUrlSafe) {
  for (uint64_t sequence = 1; sequence < 1000; ++sequence) {
    for (const char c : MakePageToken(sequence, "")) {
      EXPECT_TRUE(absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '=') << c;
    }
  }
}

TEST(PageTokenTest, DamageIsRefused) {
  const std::string token = MakePageToken(42, "10");
  for (size_t i = 0; i < token.size(); ++i) {
    std::string damaged = token;
    damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
    const auto read = ReadPageToken(damaged, "10");
    EXPECT_FALSE(read.ok() && *read != 42) << i;
  }
  EXPECT_FALSE(ReadPageToken("x", "10").ok());
  EXPECT_FALSE(ReadPageToken(std::string(100000, 'A'), "10").ok());
  EXPECT_FALSE(ReadPageToken(MakePageToken(0, "10"), "10").ok());
}

TEST(PageSizeTest, DefaultAndLimits) {
  EXPECT_EQ(PageSize(0).value(), 100u);
  EXPECT_EQ(PageSize(1).value(), 1u);
  EXPECT_EQ(PageSize(1000).value(), 1000u);
  EXPECT_EQ(PageSize(1001).value(), 1000u);
  EXPECT_THAT(PageSize(-1), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-1")));
}

}  // namespace
}  // namespace clm
