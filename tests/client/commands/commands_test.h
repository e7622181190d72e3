// Runs command lines of `clm` against a FakeServer.
#pragma once

#include <string>
#include <vector>

#include "client/command.h"
#include "core/base/file_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/fake_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm::client {

class CommandTest : public ::testing::Test {
 protected:
  // A file in the test's folder.
  std::string WriteInput(const std::string& name, const std::string& content) {
    EXPECT_THAT(WriteFileAtomically(PosixFileSystem(), directory_.File(name), content), clm::testing::IsOk());
    return directory_.File(name);
  }
  std::string ReadOutput(const std::string& name) {
    const auto content = ReadFile(PosixFileSystem(), directory_.File(name), 1 << 20);
    EXPECT_TRUE(content.ok()) << content.status();
    return content.ok() ? *content : "";
  }
  std::string Path(const std::string& name) const { return directory_.File(name); }

  FakeServer server_;
  clm::testing::TemporaryDirectory directory_;
};

}  // namespace clm::client
