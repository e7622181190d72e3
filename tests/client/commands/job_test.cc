#include "tests/client/commands/commands_test.h"

namespace clm::client {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(CommandTest, JobListFollowsItsPages) {
  EXPECT_EQ(server_.Run({"job", "list"}, AddJob), 0);
  EXPECT_EQ(server_.calls, (std::vector<std::string>{"ListJobs ", "ListJobs second"}));
  EXPECT_THAT(server_.output(), StartsWith("job"));
}

TEST_F(CommandTest, JobVerbsCallTheirMethods) {
  EXPECT_EQ(server_.Run({"job", "show", "j1"}, AddJob), 0);
  EXPECT_EQ(server_.Run({"job", "cancel", "j1"}, AddJob), 0);
  EXPECT_EQ(server_.Run({"job", "resume", "j1"}, AddJob), 0);
  EXPECT_EQ(server_.Run({"job", "delete", "j1"}, AddJob), 0);
  EXPECT_EQ(server_.calls, (std::vector<std::string>{"GetJob j1", "CancelJob j1", "ResumeJob j1", "DeleteJob j1"}));
}

TEST_F(CommandTest, AnUnknownJobIsExitFour) {
  server_.status = grpc::Status(grpc::StatusCode::NOT_FOUND, "no job");
  EXPECT_EQ(server_.Run({"job", "show", "j9"}, AddJob), kExitNotFound);
}

}  // namespace
}  // namespace clm::client
