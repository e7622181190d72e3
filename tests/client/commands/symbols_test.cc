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

TEST_F(CommandTest, EncodeFromFileToFileSendsNamesOnly) {
  server_.files.set_input_bytes(12);
  server_.files.set_output_sha256("beef");
  server_.files.set_bytes_per_second(2048);
  const std::vector<std::string> arguments = {"encode", "--input-path", "/in", "--output-path", "/out"};
  EXPECT_EQ(server_.Run(arguments, AddEncode), 0);
  EXPECT_EQ(server_.encode.files().input_path(), "/in");
  EXPECT_EQ(server_.encode.files().output_path(), "/out");
  EXPECT_FALSE(server_.encode.files().overwrite());
  EXPECT_THAT(server_.output(), HasSubstr("read 12 bytes"));
  EXPECT_THAT(server_.output(), HasSubstr("sha256 beef"));
  EXPECT_THAT(server_.output(), HasSubstr("2.0 KiB/s"));
}

TEST_F(CommandTest, DecodeFromFileToFileSaysTheWidth) {
  EXPECT_EQ(server_.Run({"decode", "--input-path", "/in", "--output-path", "/out", "--packed", "2", "--overwrite"},
                        AddDecode),
            0);
  EXPECT_EQ(server_.decode.width_bytes(), 2U);
  EXPECT_EQ(server_.decode.files().input_path(), "/in");
  EXPECT_TRUE(server_.decode.files().overwrite());
}

TEST_F(CommandTest, FilesOfTheServerAndOfThisMachineDoNotMix) {
  EXPECT_EQ(server_.Run({"encode", "--input-path", "/in"}, AddEncode), kExitUsage);
  EXPECT_EQ(server_.Run({"encode", "--output-path", "/out"}, AddEncode), kExitUsage);
  EXPECT_EQ(server_.Run({"encode", "--overwrite", WriteInput("in", "A")}, AddEncode), kExitUsage);
  EXPECT_EQ(server_.Run({"encode", "--input-path", "/in", "--output-path", "/out", WriteInput("in", "A")}, AddEncode),
            kExitUsage);
  EXPECT_EQ(server_.Run({"encode", "--input-path", "/in", "--output-path", "/out", "-o", Path("out")}, AddEncode),
            kExitUsage);
  EXPECT_EQ(server_.Run({"decode", "--input-path", "/in", "--output-path", "/out"}, AddDecode), kExitUsage);
}

}  // namespace
}  // namespace clm::client
