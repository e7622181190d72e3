#include "tests/client/commands/commands_test.h"

namespace clm::client {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(CommandTest, VersionShowsTheServers) {
  EXPECT_EQ(server_.Run({"version"}, AddVersion), 0);
  EXPECT_THAT(server_.output(), HasSubstr("server 9.9.9"));
}

TEST_F(CommandTest, CompletionKnowsSubcommands) {
  const auto add = [](CLI::App& app, Session& session) {
    AddJob(app, session);
    AddCompletion(app, session);
  };
  EXPECT_EQ(server_.Run({"completion", "bash"}, add), 0);
  EXPECT_THAT(server_.output(), HasSubstr("job) words=\"list watch show"));
}

TEST_F(CommandTest, HealthcheckOfAServerWithoutHealthServiceFails) {
  EXPECT_EQ(server_.Run({"healthcheck"}, AddHealthcheck), kExitFailed);
}

}  // namespace
}  // namespace clm::client
