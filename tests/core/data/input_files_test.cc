#include "core/data/input_files.h"

#include "tests/core/data/plain_write.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class InputFilesTest : public ::testing::Test {
 protected:
  void Touch(const std::string& name) {
    const std::string path = directory_.File(name);
    ASSERT_OK(PosixFileSystem().MakeDirectories(path.substr(0, path.rfind('/'))));
    ASSERT_OK(testing::PlainWrite(PosixFileSystem(), path, "x"));
  }
  // Paths relative to the test's folder.
  absl::StatusOr<std::vector<std::string>> Expand(std::vector<std::string> inputs, InputFilesOptions options = {}) {
    for (std::string& input : inputs) input = directory_.File(input);
    auto paths = ExpandInputs(PosixFileSystem(), inputs, options);
    if (paths.ok()) {
      for (std::string& path : *paths) path = path.substr(directory_.path().size() + 1);
    }
    return paths;
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(InputFilesTest, FoldersAreWalkedInPathOrderWithoutHiddenFiles) {
  for (const char* name : {"in/b.txt", "in/a/z.txt", "in/a/y/1.txt", "in/.hidden", "in/.git/config", "in/c"})
    Touch(name);
  ASSERT_OK_AND_ASSIGN(const auto paths, Expand({"in"}));
  EXPECT_THAT(paths, ElementsAre("in/a/y/1.txt", "in/a/z.txt", "in/b.txt", "in/c"));
}

TEST_F(InputFilesTest, InputsKeepTheirOrderAndRepeatedFilesAreListedOnce) {
  for (const char* name : {"in/a", "in/b", "z"}) Touch(name);
  ASSERT_OK_AND_ASSIGN(const auto paths, Expand({"z", "in/b", "in", "z"}));
  EXPECT_THAT(paths, ElementsAre("z", "in/b", "in/a"));
}

TEST_F(InputFilesTest, GlobsMatchInEveryPartOfThePath) {
  for (const char* name : {"d1/x.txt", "d2/x.txt", "d2/y.log", "e1/x.txt", "d3/sub/x.txt"}) Touch(name);
  ASSERT_OK_AND_ASSIGN(const auto paths, Expand({"d?/*.txt"}));
  EXPECT_THAT(paths, ElementsAre("d1/x.txt", "d2/x.txt"));
  ASSERT_OK_AND_ASSIGN(const auto folders, Expand({"d*"}));
  EXPECT_THAT(folders, ElementsAre("d1/x.txt", "d2/x.txt", "d2/y.log", "d3/sub/x.txt"));
}

TEST_F(InputFilesTest, AnExistingNameWithAStarIsThatFile) {
  for (const char* name : {"a*", "ab"}) Touch(name);
  ASSERT_OK_AND_ASSIGN(const auto paths, Expand({"a*"}));
  EXPECT_THAT(paths, ElementsAre("a*"));
}

TEST_F(InputFilesTest, WhatStandsForNothingIsNamed) {
  ASSERT_OK(PosixFileSystem().MakeDirectories(directory_.File("empty")));
  EXPECT_THAT(Expand({"missing.txt"}), StatusIs(absl::StatusCode::kNotFound, HasSubstr("missing.txt")));
  EXPECT_THAT(Expand({"*.none"}), StatusIs(absl::StatusCode::kNotFound, HasSubstr("*.none")));
  EXPECT_THAT(Expand({"empty"}), StatusIs(absl::StatusCode::kNotFound, HasSubstr("empty")));
  EXPECT_THAT(Expand({}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no inputs")));
  EXPECT_THAT(ExpandInputs(PosixFileSystem(), std::vector<std::string>{""}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("empty name")));
}

TEST_F(InputFilesTest, TooManyFilesOrTooDeepFoldersAreRefused) {
  for (const char* name : {"in/1", "in/2", "in/3", "deep/a/b/c/d"}) Touch(name);
  EXPECT_OK(Expand({"in"}, {.max_files = 3}));
  EXPECT_THAT(Expand({"in"}, {.max_files = 2}), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("2 files")));
  EXPECT_OK(Expand({"deep"}, {.max_depth = 3}));
  EXPECT_THAT(Expand({"deep"}, {.max_depth = 2}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("limit of 2")));
}

TEST(MatchesGlobTest, StarAndQuestionMark) {
  EXPECT_TRUE(MatchesGlob("", ""));
  EXPECT_TRUE(MatchesGlob("*", ""));
  EXPECT_TRUE(MatchesGlob("a*b*c", "aXXbYYbc"));
  EXPECT_TRUE(MatchesGlob("?b", "ab"));
  EXPECT_FALSE(MatchesGlob("?", ""));
  EXPECT_FALSE(MatchesGlob("a*b", "abc"));
  EXPECT_FALSE(MatchesGlob("abc", "ab"));
  // Many stars against a long name that fails at its end: must not blow up.
  EXPECT_FALSE(MatchesGlob("*a*a*a*a*a*a*a*a*b", std::string(4'000, 'a')));
}

}  // namespace
}  // namespace clm
