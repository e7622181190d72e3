#include "tests/client/commands/commands_test.h"

namespace clm::client {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(CommandTest, GenerateStreamsText) {
  EXPECT_EQ(server_.Run({"generate", "k0", "--prompt", "p", "--temperature", "0"}, AddGenerate), 0);
  EXPECT_EQ(server_.output(), "once upon a time\n");
  EXPECT_EQ(server_.generate.prompt(), "p");
  EXPECT_TRUE(server_.generate.has_temperature());
}

}  // namespace
}  // namespace clm::client
