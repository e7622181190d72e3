#include "tests/client/commands/commands_test.h"

namespace clm::client {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(CommandTest, ModelVerbsCallTheirMethods) {
  EXPECT_EQ(server_.Run({"model", "load", "k0"}, AddModel), 0);
  EXPECT_THAT(server_.output(), HasSubstr("k0"));
  EXPECT_EQ(server_.Run({"model", "unload", "k0"}, AddModel), 0);
  EXPECT_EQ(server_.output(), "freed 1.0 KiB\n");
  EXPECT_EQ(server_.Run({"model", "list"}, AddModel), 0);
}

}  // namespace
}  // namespace clm::client
