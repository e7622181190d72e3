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

TEST_F(CommandTest, SalvageListsWhatIsMissingAndHasItsOwnExitCode) {
  const std::string path = WriteInput("frame.clm", "data");
  v1::SalvageReport& report = *server_.decompress_summary.mutable_salvage();
  server_.decompress_summary.set_original_bytes(8192);
  report.set_intact_blocks(1);
  report.set_lost_blocks(2);
  report.set_lost_bytes(8192);
  report.set_missing_ranges(2);
  v1::MissingRange& zeros = *report.add_missing();
  zeros.set_length_bytes(4096);
  report.add_missing()->set_offset_bytes(8192);
  EXPECT_EQ(server_.Run({"decompress", path, "--salvage"}, AddDecompress), kExitSalvaged);
  EXPECT_TRUE(server_.decompress.salvage());
  EXPECT_EQ(ReadOutput("frame"), "atad");
  EXPECT_THAT(server_.errors(), HasSubstr("1 blocks intact (0 bytes), 2 lost (8192 bytes)"));
  EXPECT_THAT(server_.errors(), HasSubstr("missing: bytes 0 to 4095, zeros"));
  EXPECT_THAT(server_.errors(), HasSubstr("missing: from byte 8192 to an end that is not known"));
  for (int i = 2; i < 30; ++i) report.add_missing()->set_offset_bytes(8192);
  report.set_missing_ranges(70'000);
  EXPECT_EQ(server_.Run({"decompress", path, "--salvage"}, AddDecompress), kExitSalvaged);
  EXPECT_THAT(server_.errors(), HasSubstr("69980 more ranges"));
}

TEST_F(CommandTest, SalvageOfAFrameWithoutLossIsASuccess) {
  const std::string path = WriteInput("frame.clm", "data");
  server_.decompress_summary.mutable_salvage()->set_intact_blocks(1);
  EXPECT_EQ(server_.Run({"decompress", path, "--salvage"}, AddDecompress), kExitSalvaged);
  EXPECT_THAT(server_.errors(), HasSubstr("the SHA-256 that proves the whole is damaged"));
  server_.decompress_summary.set_sha256_verified(true);
  EXPECT_EQ(server_.Run({"decompress", path, "--salvage"}, AddDecompress), kExitOk);
  server_.status = grpc::Status(grpc::StatusCode::DATA_LOSS, "frame header");
  EXPECT_EQ(server_.Run({"decompress", path, "--salvage"}, AddDecompress), kExitDataLoss);
}

TEST_F(CommandTest, CompressOfAMissingFileIsNotFound) {
  EXPECT_EQ(server_.Run({"compress", Path("missing")}, AddCompress), kExitNotFound);
}

}  // namespace
}  // namespace clm::client
