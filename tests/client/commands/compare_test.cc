#include "tests/client/commands/commands_test.h"

namespace clm::client {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(CommandTest, ComparePrintsTheVerdict) {
  server_.comparison.set_verdict("undecided");
  EXPECT_EQ(server_.Run({"compare", "r1", "r2"}, AddCompare), 0);
  EXPECT_EQ(server_.calls, std::vector<std::string>{"Compare r1 r2"});
  EXPECT_THAT(server_.output(), HasSubstr("undecided"));
}

TEST_F(CommandTest, CompareReportsARefusal) {
  server_.status = grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "split differs");
  EXPECT_EQ(server_.Run({"compare", "r1", "r2"}, AddCompare), kExitFailed);
  EXPECT_THAT(server_.errors(), HasSubstr("split differs"));
}

}  // namespace
}  // namespace clm::client
