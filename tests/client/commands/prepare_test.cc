#include "tests/client/commands/commands_test.h"

namespace clm::client {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(CommandTest, PrepareUploadsFilesAndSubmitsTheSpec) {
  const std::string path = WriteInput("a.txt", "hello");
  EXPECT_EQ(server_.Run({"prepare", path, "--vocab-size", "300", "--layers", "3", "--request-id", "r1"}, AddPrepare),
            0);
  EXPECT_EQ(server_.uploaded, "hello");
  const v1::PrepareSpec& spec = server_.submitted.spec().prepare();
  EXPECT_EQ(spec.source().artifacts(0), "artifacts/blob/" + Sha256Hex("hello"));
  EXPECT_EQ(spec.tokenizer().vocab_size(), 300u);
  EXPECT_EQ(spec.universe().layers(), 3u);
  EXPECT_EQ(server_.submitted.request_id(), "r1");
}

TEST_F(CommandTest, PrepareSendsOnlyWhatWasGiven) {
  const std::string path = WriteInput("a.txt", "hello");
  EXPECT_EQ(
      server_.Run({"prepare", path, "--preset", "w", "--pattern", "cl100k", "--memory-limit", "256MB"}, AddPrepare), 0);
  const v1::PrepareSpec& spec = server_.submitted.spec().prepare();
  EXPECT_EQ(spec.universe().preset(), "w");
  EXPECT_FALSE(spec.universe().has_layers());
  EXPECT_FALSE(spec.universe().has_nodes_per_layer());
  EXPECT_EQ(spec.tokenizer().pattern(), "cl100k");
  EXPECT_EQ(spec.memory_limit_bytes(), uint64_t{256} << 20);
}

TEST_F(CommandTest, PrepareWithoutInputIsWrongUsage) {
  EXPECT_EQ(server_.Run({"prepare"}, AddPrepare), kExitUsage);
  EXPECT_TRUE(server_.calls.empty());
}

}  // namespace
}  // namespace clm::client
