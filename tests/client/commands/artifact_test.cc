#include "tests/client/commands/commands_test.h"

namespace clm::client {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(CommandTest, ArtifactGetChecksTheDigest) {
  server_.download = "content";
  EXPECT_EQ(server_.Run({"artifact", "get", "a1", "-o", Path("out")}, AddArtifact), 0);
  EXPECT_EQ(ReadOutput("out"), "content");
  server_.download = "damaged";
  EXPECT_EQ(server_.Run({"artifact", "get", "a1", "-o", Path("other")}, AddArtifact), kExitDataLoss);
  EXPECT_FALSE(PosixFileSystem().Exists(Path("other")));
}

TEST_F(CommandTest, ArtifactVerbsCallTheirMethods) {
  EXPECT_EQ(server_.Run({"artifact", "show", "a1"}, AddArtifact), 0);
  EXPECT_EQ(server_.Run({"artifact", "pin", "a1", "me"}, AddArtifact), 0);
  EXPECT_EQ(server_.Run({"artifact", "unpin", "a1", "me"}, AddArtifact), 0);
  EXPECT_EQ(server_.Run({"artifact", "delete", "a1"}, AddArtifact), 0);
  EXPECT_EQ(server_.output(), "freed 2.0 KiB\n");
  EXPECT_EQ(server_.calls, (std::vector<std::string>{"GetArtifact a1", "Pin me", "Unpin me"}));
}

}  // namespace
}  // namespace clm::client
