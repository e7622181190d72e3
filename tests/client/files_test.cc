#include "client/files.h"

#include "core/base/file_io.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm::client {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;

TEST(OutputTest, AFileAppearsOnlyWhenItIsComplete) {
  const TemporaryDirectory directory;
  const std::string path = directory.File("out");
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Output> output, Output::Create(path));
    ASSERT_OK(output->Write("half"));
    EXPECT_FALSE(PosixFileSystem().Exists(path));
  }
  EXPECT_FALSE(PosixFileSystem().Exists(path));
  EXPECT_FALSE(PosixFileSystem().Exists(path + ".part"));

  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Output> output, Output::Create(path));
  ASSERT_OK(output->Write("whole"));
  ASSERT_OK(output->Commit());
  EXPECT_EQ(output->bytes_written(), 5u);
  ASSERT_OK_AND_ASSIGN(const std::string content, ReadFile(PosixFileSystem(), path, 100));
  EXPECT_EQ(content, "whole");
}

TEST(InputTest, ReadsInPiecesAndRefusesTooMuch) {
  const TemporaryDirectory directory;
  ASSERT_OK(WriteFileAtomically(PosixFileSystem(), directory.File("in"), "abcdef"));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Input> input, Input::Open(directory.File("in")));
  ASSERT_OK_AND_ASSIGN(const std::string first, input->Read(4));
  EXPECT_EQ(first, "abcd");
  ASSERT_OK_AND_ASSIGN(const std::string second, input->Read(4));
  EXPECT_EQ(second, "ef");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Input> again, Input::Open(directory.File("in")));
  EXPECT_THAT(again->ReadAll(5), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(InputTest, FoldersAndMissingFilesAreRefused) {
  const TemporaryDirectory directory;
  EXPECT_THAT(Input::Open(directory.path()), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Input::Open(directory.File("missing")), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace clm::client
