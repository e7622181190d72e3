#include "server/service/server_paths.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/service/error_detail.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

// root/file, root/sub/, outside/file, and links: root/out -> outside, root/in -> root/sub, outside/back -> root.
class ServerPathsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* folder : {"root/sub", "outside", "root2"}) std::filesystem::create_directories(At(folder));
    for (const char* file : {"root/file", "outside/file", "root2/file"}) std::ofstream(At(file)) << "x";
    std::filesystem::create_directory_symlink(At("outside"), At("root/out"));
    std::filesystem::create_symlink(At("outside/file"), At("root/link"));
    std::filesystem::create_directory_symlink(At("root/sub"), At("root/in"));
    std::filesystem::create_directory_symlink(At("root"), At("outside/back"));
    paths_.readable_roots = {At("root")};
    paths_.writable_roots = {At("root/sub")};
  }
  std::string At(const std::string& name) const { return folder_ + "/" + name; }

  testing::TemporaryDirectory directory_;
  const std::string folder_ = std::filesystem::canonical(directory_.path()).string();
  ServerPaths paths_;
};

TEST_F(ServerPathsTest, WhatLiesBelowARootIsResolved) {
  EXPECT_EQ(*paths_.Readable("f", At("root/file")), At("root/file"));
  EXPECT_EQ(*paths_.Readable("f", At("root/sub/../file")), At("root/file"));
  EXPECT_EQ(*paths_.Readable("f", At("root/in/new")), At("root/sub/new"));
  EXPECT_EQ(*paths_.Readable("f", At("outside/back/file")), At("root/file")) << "only where it ends counts";
  EXPECT_EQ(*paths_.Writable("f", At("root/in/new")), At("root/sub/new"));
  paths_.readable_roots = {At("outside/back") + "/"};
  EXPECT_EQ(*paths_.Readable("f", At("root/file")), At("root/file")) << "roots are resolved too";
}

TEST_F(ServerPathsTest, WaysOutAreRefusedWhetherThereIsAFileOrNot) {
  for (const char* path : {"outside/file", "outside/none", "root/../outside/file", "root/out/file", "root/out/none",
                           "root/link", "root2/file", "root/in/../../outside/file"}) {
    const absl::Status status = paths_.Readable("f", At(path)).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("an allowed root"))) << path;
    EXPECT_EQ(ReasonOf(status), "PATH_NOT_ALLOWED") << path;
  }
  EXPECT_THAT(paths_.Writable("f", At("root/file")),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("a writable root")));
  EXPECT_THAT(ServerPaths().Readable("f", At("root/file")),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("there is none")));
}

TEST_F(ServerPathsTest, LinksInACircleAreRefused) {
  std::filesystem::create_symlink(At("root/circle"), At("root/circle"));
  EXPECT_THAT(paths_.Readable("f", At("root/circle/x")), StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(ServerPathsTest, TheDataFolderIsNeverWritten) {
  paths_.writable_roots = {"/"};
  paths_.data_dir = At("root/in");  // itself a link
  EXPECT_OK(paths_.Writable("f", At("root/file")));
  EXPECT_THAT(paths_.Writable("f", At("root/sub/journal.sqlite")),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("own data folder")));
}

TEST_F(ServerPathsTest, FormsThatMeanNothingAreNamed) {
  for (const std::string& path : {std::string(), std::string("relative"), std::string("/a\0b", 4)}) {
    EXPECT_THAT(paths_.Readable("field", path), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("field")));
  }
  EXPECT_THAT(paths_.Writable("field", absl::StrCat("/", std::string(4096, 'x'))),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("4097 bytes, the limit is 4096")));
  EXPECT_THAT(paths_.Readable("field", absl::StrCat("/", std::string(4095, 'x'))),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

}  // namespace
}  // namespace clm
