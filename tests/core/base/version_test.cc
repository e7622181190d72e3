#include "core/base/version.h"

#include <string>

#include "gmock/gmock.h"

namespace clm {
namespace {

TEST(VersionTest, IsThreeNumbersAndAShortRevision) {
  EXPECT_THAT(std::string(Version()), ::testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_THAT(std::string(Commit()), ::testing::MatchesRegex("[0-9a-f]*"));
}

}  // namespace
}  // namespace clm
