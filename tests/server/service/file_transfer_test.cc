// File to file, as Encode and Decode do it: through their handlers.
#include "server/service/file_transfer.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/fault_file_system.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/service/chunks.h"
#include "server/service/decode_handler.h"
#include "server/service/encode_handler.h"
#include "tests/server/service/fake_operations.h"
#include "tests/server/service/message_streams.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::FakeReader;
using ::clm::testing::FakeWriter;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FileTransferTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(At("in"));
    std::filesystem::create_directories(At("out"));
    paths_.readable_roots = {At("in"), At("out")};
    paths_.writable_roots = {At("out")};
  }
  std::string At(const std::string& name) const { return directory_.File(name); }
  void Write(const std::string& name, const std::string& content) {
    std::ofstream(At(name), std::ios::binary) << content;
  }
  std::string Content(const std::string& name) { return *ReadFile(PosixFileSystem(), At(name), 1 << 24); }
  std::vector<std::string> Outputs() { return *PosixFileSystem().List(At("out")); }

  v1::FilePaths Files(const std::string& from, const std::string& to, bool overwrite = false) {
    v1::FilePaths files;
    files.set_input_path(At(from));
    files.set_output_path(At(to));
    files.set_overwrite(overwrite);
    return files;
  }
  absl::StatusOr<v1::EncodeResponse::Summary> Encode(const v1::FilePaths& files, bool with_data = false) {
    std::deque<v1::EncodeRequest> requests(1);
    requests[0].mutable_start()->mutable_representation()->set_kind("byte");
    *requests[0].mutable_start()->mutable_files() = files;
    if (with_data) requests.emplace_back().set_data("x");
    FakeReader<v1::EncodeRequest> reader(std::move(requests));
    FakeWriter<v1::EncodeResponse> writer;
    CLM_RETURN_IF_ERROR(HandleEncode({operations_, metrics_, paths_}, call_, reader, writer));
    EXPECT_EQ(writer.messages.size(), 2U) << "header and summary, no symbols";
    EXPECT_EQ(writer.messages[0].header().width_bytes(), 2U);
    return writer.messages.back().summary();
  }
  absl::StatusOr<v1::DecodeResponse::Summary> Decode(const v1::FilePaths& files, uint32_t width = 2) {
    std::deque<v1::DecodeRequest> requests(1);
    requests[0].mutable_start()->mutable_representation()->set_kind("byte");
    requests[0].mutable_start()->set_width_bytes(width);
    *requests[0].mutable_start()->mutable_files() = files;
    FakeReader<v1::DecodeRequest> reader(std::move(requests));
    FakeWriter<v1::DecodeResponse> writer;
    CLM_RETURN_IF_ERROR(HandleDecode({operations_, metrics_, paths_}, call_, reader, writer));
    EXPECT_EQ(writer.messages.size(), 1U);
    return writer.messages.back().summary();
  }

  testing::TemporaryDirectory directory_;
  testing::FakeOperations operations_;
  Metrics metrics_;
  ServerPaths paths_;
  Call call_{"m", "id"};
};

TEST_F(FileTransferTest, ADocumentGoesToItsSymbolsAndBack) {
  std::string text;
  for (int i = 0; text.size() < 3 * FileInput::kPieceBytes; ++i) absl::StrAppend(&text, i, "\xff ");
  Write("in/text", text);
  ASSERT_OK_AND_ASSIGN(const v1::EncodeResponse::Summary encoded, Encode(Files("in/text", "out/ids")));
  const std::string ids = Content("out/ids");
  EXPECT_EQ(ids.size(), 2 * text.size());
  EXPECT_EQ(ids.substr(0, 4), std::string("1\0\0\1", 4)) << "'0' + 1, 255 + 1";
  EXPECT_EQ(encoded.original_bytes(), text.size());
  EXPECT_EQ(encoded.symbols(), text.size());
  EXPECT_EQ(encoded.files().input_bytes(), text.size());
  EXPECT_EQ(encoded.files().input_sha256(), Sha256Hex(text));
  EXPECT_EQ(encoded.files().output_bytes(), ids.size());
  EXPECT_EQ(encoded.files().output_sha256(), Sha256Hex(ids));
  EXPECT_GT(encoded.files().seconds(), 0);
  EXPECT_NEAR(encoded.files().bytes_per_second() * encoded.files().seconds(), static_cast<double>(text.size()), 1);

  ASSERT_OK_AND_ASSIGN(const v1::DecodeResponse::Summary decoded, Decode(Files("out/ids", "out/text")));
  EXPECT_TRUE(Content("out/text") == text);
  EXPECT_EQ(decoded.files().input_sha256(), encoded.files().output_sha256());
  EXPECT_EQ(decoded.files().output_sha256(), decoded.sha256());
  EXPECT_EQ(decoded.symbols(), text.size());
  EXPECT_THAT(Outputs(), ElementsAre("ids", "text"));
}

TEST_F(FileTransferTest, AnEmptyDocumentIsAnEmptyFile) {
  Write("in/empty", "");
  EXPECT_EQ(Encode(Files("in/empty", "out/ids"))->files().bytes_per_second(), 0);
  EXPECT_EQ(Content("out/ids"), "");
  EXPECT_OK(Decode(Files("out/ids", "out/text")));
  EXPECT_EQ(Content("out/text"), "");
}

TEST_F(FileTransferTest, WhatExistsIsReplacedOnlyWhenAsked) {
  Write("in/text", "ab");
  Write("out/ids", "old");
  const absl::Status refused = Encode(Files("in/text", "out/ids")).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("out/ids")));
  EXPECT_EQ(ReasonOf(refused), "OUTPUT_EXISTS");
  EXPECT_EQ(Content("out/ids"), "old");
  EXPECT_OK(Encode(Files("in/text", "out/ids", /*overwrite=*/true)));
  EXPECT_EQ(Content("out/ids"), std::string("b\0c\0", 4));
}

TEST_F(FileTransferTest, PathsOutsideOfTheRootsAreRefused) {
  Write("in/text", "ab");
  Write("secret", "ab");
  std::filesystem::create_symlink(At("secret"), At("in/link"));
  std::filesystem::create_directory_symlink(At("in"), At("out/in"));
  for (const auto& [from, to] :
       {std::pair("secret", "out/ids"), std::pair("in/link", "out/ids"), std::pair("in/text", "in/ids"),
        std::pair("in/text", "out/in/ids"), std::pair("in/text", "out/../ids")}) {
    EXPECT_THAT(Encode(Files(from, to)), StatusIs(absl::StatusCode::kPermissionDenied)) << from << " " << to;
    EXPECT_THAT(Decode(Files(from, to)), StatusIs(absl::StatusCode::kPermissionDenied)) << from << " " << to;
  }
  EXPECT_THAT(Outputs(), ElementsAre("in"));
}

TEST_F(FileTransferTest, FilesThatCannotBeUsedAreNamed) {
  Write("in/text", "ab");
  Write("out/same", "ab");
  EXPECT_THAT(Encode(Files("in/none", "out/ids")), StatusIs(absl::StatusCode::kNotFound, HasSubstr("in/none")));
  EXPECT_THAT(Encode(Files("in", "out/ids")), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("a folder")));
  EXPECT_THAT(Encode(Files("in/text", "out")), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("a folder")));
  EXPECT_THAT(Encode(Files("in/text", "out/none/ids")), StatusIs(absl::StatusCode::kNotFound, HasSubstr("the folder")));
  EXPECT_THAT(Encode(Files("out/same", "out/same", /*overwrite=*/true)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is the input")));
  std::filesystem::create_hard_link(At("out/same"), At("out/twin"));
  EXPECT_THAT(Encode(Files("out/same", "out/twin", /*overwrite=*/true)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is the input")));
  EXPECT_THAT(Encode(Files("in/text", "out/ids"), /*with_data=*/true),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no message may follow")));
  EXPECT_THAT(Outputs(), ElementsAre("same", "twin"));
}

TEST_F(FileTransferTest, AFailedOperationLeavesNothing) {
  Write("in/odd", std::string("b\0c", 3));
  EXPECT_THAT(Decode(Files("in/odd", "out/text"), 4), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Outputs(), IsEmpty());
  operations_.failure = absl::InternalError("no");
  EXPECT_THAT(Encode(Files("in/odd", "out/ids")), StatusIs(absl::StatusCode::kInternal));
  operations_.failure = absl::OkStatus();
  call_.source().Cancel();
  EXPECT_THAT(Encode(Files("in/odd", "out/ids")), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(Outputs(), IsEmpty());
}

TEST_F(FileTransferTest, AFailureOfTheDiskAtAnyOperationLeavesTheOldFileOrTheNewOne) {
  Write("in/text", std::string(2 * kMaxChunkOutBytes, 'x'));
  const std::string want = [] {
    std::string ids;
    for (size_t i = 0; i < 2 * kMaxChunkOutBytes; ++i) ids += std::string("y\0", 2);
    return ids;
  }();
  bool reached = true;
  for (uint64_t n = 1; reached; ++n) {
    ASSERT_LT(n, 60U);
    std::filesystem::remove_all(At("out"));
    std::filesystem::create_directories(At("out"));
    Write("out/ids", "old");
    FaultFileSystem files(PosixFileSystem(), directory_.path());
    files.FailOperation(n, absl::ResourceExhaustedError("no space left"));
    paths_.files = &files;
    const absl::Status status = Encode(Files("in/text", "out/ids", /*overwrite=*/true)).status();
    reached = files.fault_happened();
    const std::string content = Content("out/ids");
    EXPECT_TRUE(content == want || (!status.ok() && content == "old")) << n << " " << status;
    EXPECT_TRUE(reached || status.ok()) << status;
  }
}

}  // namespace
}  // namespace clm
