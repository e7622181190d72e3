// Universe files of format 1 that every later program reads or refuses alike: tests/golden/universe/v1. Their hashes
// were computed by another program from docs/formats/universe.md.
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file_io.h"
#include "core/coordinate/universe_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

std::string Path(absl::string_view kind, absl::string_view name) {
  return absl::StrCat(CLM_GOLDEN_UNIVERSE_DIR, "/", kind, "/", name);
}

struct Accepted {
  const char* name;
  const char* content_sha256;
  uint32_t vocab_size;
  int layers;
};

TEST(GoldenUniverseTest, AcceptedFilesAreReadAndKeepTheirHash) {
  const std::vector<Accepted> all = {
      {"two_layers.json", "7b2752597a8fb6e706356e13616cfeadc7644b61070b15b6af4f35dacce5058e", 106, 2},
      {"identity.json", "402b7b4f181a590a13d2e8834ea685abb7ab54c15384cedc52ede89c040f49c8", 257, 0},
      {"words.json", "e06df326541456b9b8e124b02c291b633fc0530f31a8fef5cf4743f00e77e7d7", 303, 2},
      {"words_and_superwords.json", "0870e94f65fe6e74ba6a6b76741ec438dfdad30b50dc5c99aff14f36f69ee7e6", 303, 3},
      {"codec_pairs.json", "8cdba5aa43b4dfe28e9861c02de0599600c75d3af6cf846c4f37413aeec2e045", 258, 2},
  };
  for (const Accepted& golden : all) {
    SCOPED_TRACE(golden.name);
    ASSERT_OK_AND_ASSIGN(const UniverseFile file, ReadUniverse(PosixFileSystem(), Path("accepted", golden.name)));
    EXPECT_EQ(file.universe.content_sha256(), golden.content_sha256);
    EXPECT_EQ(file.universe.vocab_size(), golden.vocab_size);
    EXPECT_EQ(file.universe.layer_count(), golden.layers);
    ASSERT_OK_AND_ASSIGN(const UniverseFile again, ParseUniverse(FormatUniverse(file)));
    EXPECT_EQ(FormatUniverse(again), FormatUniverse(file));
  }
}

struct Refused {
  absl::StatusCode code;
  const char* message;
};

TEST(GoldenUniverseTest, RefusedFilesAreRefusedForTheirReason) {
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;
  const std::map<std::string, Refused> all = {
      {"child_is_boundary.json", {kInvalid, "coordinate 100 contains the boundary symbol 0"}},
      {"cycle.json", {kInvalid, "coordinate 100 contains itself (a cycle"}},
      {"duplicate_id.json", {kInvalid, "layer 1 node 1: node_id 100 is used twice"}},
      {"duplicate_pair.json", {kInvalid, "coordinate 101 repeats the pair (81, 19)"}},
      {"empty_layer.json", {kInvalid, "layer 2 is empty"}},
      {"expansion_bomb.json", {kExhausted, "stands for 2097152 base symbols"}},
      {"forward_reference.json", {kInvalid, "coordinate 100 has the child 102, a forward reference"}},
      {"gap.json", {kInvalid, "node_id 105 leaves a gap, the next one is 104"}},
      {"huge_id.json", {kInvalid, "node_id is 1099511627776, must be at most"}},
      {"id_beyond_64_bits.json", {kInvalid, "must be an integer"}},
      {"id_in_base.json", {kInvalid, "node_id 99 belongs to the base vocabulary"}},
      {"key_twice.json", {kInvalid, "\"version\" occurs twice"}},
      {"later_format.json", {kInvalid, "format is \"clm-universe-2\""}},
      {"missing_key.json", {kInvalid, "has no \"boundary_ids\""}},
      {"negative_child.json", {kInvalid, "expansion[0] is -1, must not be negative"}},
      {"negative_id.json", {kInvalid, "node_id is -1, must not be negative"}},
      {"nested.json", {kExhausted, "nested deeper than"}},
      {"one_symbol_expansion.json", {kInvalid, "expansion has 1 symbols"}},
      {"three_symbol_expansion.json", {kInvalid, "expansion has 3 symbols"}},
      {"truncated.json", {kInvalid, "not JSON"}},
      {"unknown_key.json", {kInvalid, "unknown key \"color\""}},
      {"wrong_hash.json", {absl::StatusCode::kDataLoss, "content_sha256"}},
      {"wrong_layer.json", {kInvalid, "layer is 1, but it stands in layer 2"}},
  };
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> names, PosixFileSystem().List(Path("refused", "")));
  EXPECT_EQ(names.size(), all.size());
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    const auto want = all.find(name);
    ASSERT_NE(want, all.end());
    EXPECT_THAT(ReadUniverse(PosixFileSystem(), Path("refused", name)),
                StatusIs(want->second.code, HasSubstr(want->second.message)));
  }
}

}  // namespace
}  // namespace clm
