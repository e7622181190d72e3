#include "core/coordinate/build_state.h"

#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::MakeUniverse;
using ::clm::testing::TemporaryDirectory;

TEST(BuildStateTest, ComesBackForTheSameInputOnly) {
  const TemporaryDirectory folder;
  const std::string path = folder.File("state");
  const std::string digest(64, 'a');
  EXPECT_FALSE(ReadBuildState(PosixFileSystem(), path, digest).has_value()) << "no file";
  const BuildState state = {.input_digest = digest,
                            .done = 3,
                            .universe = {.universe = MakeUniverse(10, {{{1, 2}}}),
                                         .frequencies = {7},
                                         .tokenizer_sha256 = "",
                                         .options = {},
                                         .stats = {{.candidates = 4, .symbols_before = 9, .symbols_after = 2}}}};
  ASSERT_OK(WriteBuildState(PosixFileSystem(), path, state));
  const auto found = ReadBuildState(PosixFileSystem(), path, digest);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->done, 3U);
  EXPECT_EQ(found->universe.universe.content_sha256(), state.universe.universe.content_sha256());
  EXPECT_EQ(found->universe.stats, state.universe.stats);
  EXPECT_FALSE(ReadBuildState(PosixFileSystem(), path, std::string(64, 'b')).has_value()) << "another input";
}

TEST(BuildStateTest, DamageIsNoState) {
  const TemporaryDirectory folder;
  const std::string path = folder.File("state");
  const std::string digest(64, 'a');
  for (const std::string& text :
       {std::string(), std::string("x"), "clm universe state 1\n" + digest + " 3\n{}",
        "clm universe state 1\n" + digest + " three\n{}", "clm universe state 1\n" + digest}) {
    ASSERT_OK(WriteFileAtomically(PosixFileSystem(), path, text));
    EXPECT_FALSE(ReadBuildState(PosixFileSystem(), path, digest).has_value()) << text;
  }
}

}  // namespace
}  // namespace clm
