#include "tests/client/commands/commands_test.h"

namespace clm::client {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(CommandTest, DetachPrintsTheJobAndDoesNotWatch) {
  EXPECT_EQ(server_.Run({"prepare", "--server-path", "/data", "--detach"}, AddPrepare), 0);
  EXPECT_EQ(server_.output(), "jobs/j1\n");
  EXPECT_EQ(server_.calls, std::vector<std::string>{"Prepare"});
  EXPECT_EQ(server_.submitted.spec().prepare().source().paths(0), "/data");
}

TEST_F(CommandTest, DocumentRuleIsSent) {
  EXPECT_EQ(server_.Run({"prepare", "--server-path", "/data", "--documents", "line"}, AddPrepare), 0);
  EXPECT_EQ(server_.submitted.spec().prepare().source().rule(), v1::DOCUMENT_RULE_LINE);
}

}  // namespace
}  // namespace clm::client
