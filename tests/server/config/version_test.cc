#include "server/config/version.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(VersionTest, SaysWhatIsRunning) {
  EXPECT_THAT(Version(), MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_THAT(Commit(), MatchesRegex("[0-9a-f]*"));
  EXPECT_THAT(VersionText(), HasSubstr("clm_server " + Version()));
  EXPECT_THAT(VersionText(), HasSubstr("protobuf 3."));
}

}  // namespace
}  // namespace clm
