#include "tests/client/commands/commands_test.h"

namespace clm::client {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(CommandTest, CompressAndDecompressRestoreTheFile) {
  const std::string path = WriteInput("text", std::string(700000, 0x61) + "z");
  EXPECT_EQ(server_.Run({"compress", path}, AddCompress), 0);
  EXPECT_EQ(server_.Run({"decompress", path + ".clm", "-o", Path("back")}, AddDecompress), 0);
  EXPECT_EQ(ReadOutput("back"), ReadOutput("text"));
}

TEST_F(CommandTest, AFailedDecompressionLeavesNoFile) {
  const std::string path = WriteInput("frame.clm", "data");
  server_.status = grpc::Status(grpc::StatusCode::DATA_LOSS, "block 0");
  EXPECT_EQ(server_.Run({"decompress", path}, AddDecompress), kExitDataLoss);
  EXPECT_FALSE(PosixFileSystem().Exists(Path("frame")));
  EXPECT_FALSE(PosixFileSystem().Exists(Path("frame.part")));
}

TEST_F(CommandTest, CompressOfAMissingFileIsNotFound) {
  EXPECT_EQ(server_.Run({"compress", Path("missing")}, AddCompress), kExitNotFound);
}

}  // namespace
}  // namespace clm::client
