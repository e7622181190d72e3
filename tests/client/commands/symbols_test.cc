#include "tests/client/commands/commands_test.h"

namespace clm::client {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(CommandTest, EncodePrintsNumbers) {
  EXPECT_EQ(server_.Run({"encode", WriteInput("in", "AB")}, AddEncode), 0);
  EXPECT_EQ(server_.output(), "65 66 \n");
}

TEST_F(CommandTest, DecodeReadsNumbers) {
  EXPECT_EQ(server_.Run({"decode", WriteInput("in", "65 66\n67"), "-o", Path("out")}, AddDecode), 0);
  EXPECT_EQ(ReadOutput("out"), "ABC");
}

TEST_F(CommandTest, DecodeRefusesWhatIsNoNumber) {
  EXPECT_EQ(server_.Run({"decode", WriteInput("in", "65 x"), "-o", Path("out")}, AddDecode), kExitUsage);
  EXPECT_EQ(server_.Run({"decode", WriteInput("in", "99999999999"), "-o", Path("out")}, AddDecode), kExitUsage);
}

}  // namespace
}  // namespace clm::client
