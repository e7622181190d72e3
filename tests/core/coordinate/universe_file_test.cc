#include "core/coordinate/universe_file.h"

#include <functional>
#include <nlohmann/json.hpp>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::MakeUniverse;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// Boundary 0; layer 1: 10 = (1 2), 11 = (2 3); layer 2: 12 = (10 10), 13 = (10 3).
UniverseFile TwoLayerFile() {
  return {.universe = MakeUniverse(10, {{{1, 2}, {2, 3}}, {{10, 10}, {10, 3}}}, {0}),
          .frequencies = {9, 8, 3, 2},
          .tokenizer_sha256 = std::string(64, 'a'),
          .options = {.layers = 2, .nodes_per_layer = 2, .min_count = 2},
          .stats = {{.candidates = 5, .symbols_before = 100, .symbols_after = 83},
                    {.candidates = 2, .symbols_before = 83, .symbols_after = 78}}};
}

// What reading says about the file after `damage`.
absl::Status Damaged(const std::function<void(Json&)>& damage) {
  Json file = Json::parse(FormatUniverse(TwoLayerFile()));
  damage(file);
  return ParseUniverse(file.dump()).status();
}

// Node `node` of layer `layer`, both from 0.
Json& Node(Json& file, size_t layer, size_t node) { return file["layers"][layer][node]; }

TEST(UniverseFileTest, WhatIsWrittenComesBack) {
  const UniverseFile want = TwoLayerFile();
  ASSERT_OK_AND_ASSIGN(const UniverseFile got, ParseUniverse(FormatUniverse(want)));
  EXPECT_EQ(got.universe.content_sha256(), want.universe.content_sha256());
  EXPECT_THAT(got.universe.boundary_ids(), ElementsAre(0));
  EXPECT_EQ(got.frequencies, want.frequencies);
  EXPECT_EQ(got.tokenizer_sha256, want.tokenizer_sha256);
  EXPECT_EQ(got.options, want.options);
  EXPECT_EQ(got.stats, want.stats);
  EXPECT_EQ(FormatUniverse(got), FormatUniverse(want));
}

TEST(UniverseFileTest, LearnedUniversesOfEveryPresetComeBack) {
  for (const char* preset : {"pairs", "w", "ws"}) {
    ASSERT_OK_AND_ASSIGN(UniverseOptions options, UniversePreset(preset));
    options.min_count = 1;
    ASSERT_OK_AND_ASSIGN(UniverseBuilder builder, UniverseBuilder::Create(options, 5, {0}));
    ASSERT_OK(builder.AddDocument(std::vector<SymbolId>{1, 2, 3, 4, 1, 2, 3, 1, 0},
                                  std::vector<uint8_t>{1, 0, 0, 1, 1, 0, 0, 1, 1}));
    ThreadPool pool(1);
    ASSERT_OK_AND_ASSIGN(LearnedUniverse learned, builder.Build(pool));
    const UniverseFile file = {.universe = learned.universe,
                               .frequencies = learned.frequencies,
                               .tokenizer_sha256 = "",
                               .options = options,
                               .stats = learned.layers};
    ASSERT_OK_AND_ASSIGN(const UniverseFile got, ParseUniverse(FormatUniverse(file)));
    EXPECT_EQ(got.universe.content_sha256(), learned.universe.content_sha256()) << preset;
    EXPECT_EQ(got.options, options) << preset;
  }
}

TEST(UniverseFileTest, GoesThroughTheDisk) {
  testing::TemporaryDirectory folder;
  FileSystem& files = PosixFileSystem();
  ASSERT_OK(WriteUniverse(files, folder.File("universe.json"), TwoLayerFile()));
  EXPECT_THAT(ReadUniverse(files, folder.File("universe.json")), IsOk());
  EXPECT_THAT(ReadUniverse(files, folder.File("none.json")), StatusIs(absl::StatusCode::kNotFound));
}

// Acceptance check 18: each kind of broken table is refused with a message of its own.
TEST(UniverseFileTest, BrokenTablesAreRefusedEachWithItsOwnMessage) {
  EXPECT_THAT(Damaged([](Json& f) {
                Node(f, 0, 1)["expansion"] = {11, 3};
              }),
              StatusIs(kInvalid, HasSubstr("coordinate 11 contains itself (a cycle")));
  EXPECT_THAT(Damaged([](Json& f) {
                Node(f, 0, 0)["expansion"] = {11, 3};
                Node(f, 0, 1)["expansion"] = {10, 3};
              }),
              StatusIs(kInvalid, HasSubstr("coordinate 10 contains itself (a cycle")));
  EXPECT_THAT(Damaged([](Json& f) {
                Node(f, 0, 0)["expansion"] = {13, 3};
              }),
              StatusIs(kInvalid, HasSubstr("coordinate 10 contains itself (a cycle")))
      << "13 contains 10";
  EXPECT_THAT(Damaged([](Json& f) {
                Node(f, 0, 0)["expansion"] = {11, 3};
              }),
              StatusIs(kInvalid, HasSubstr("coordinate 10 has the child 11, a forward reference")));
  EXPECT_THAT(Damaged([](Json& f) {
                Node(f, 1, 1)["expansion"] = {10, 10};
              }),
              StatusIs(kInvalid, HasSubstr("coordinate 13 repeats the pair (10, 10)")));
  EXPECT_THAT(Damaged([](Json& f) { Node(f, 0, 1)["node_id"] = 10; }),
              StatusIs(kInvalid, HasSubstr("layer 1 node 1: node_id 10 is used twice")));
  EXPECT_THAT(Damaged([](Json& f) { Node(f, 0, 0)["node_id"] = 9; }),
              StatusIs(kInvalid, HasSubstr("layer 1 node 0: node_id 9 belongs to the base vocabulary")));
  EXPECT_THAT(Damaged([](Json& f) {
                Node(f, 0, 0)["expansion"] = {0, 3};
              }),
              StatusIs(kInvalid, HasSubstr("coordinate 10 contains the boundary symbol 0")));
  EXPECT_THAT(Damaged([](Json& f) { Node(f, 1, 0)["node_id"] = 13; }),
              StatusIs(kInvalid, HasSubstr("layer 2 node 0: node_id 13 leaves a gap, the next one is 12")));
  EXPECT_THAT(Damaged([](Json& f) { Node(f, 1, 0)["layer"] = 1; }),
              StatusIs(kInvalid, HasSubstr("layer 2 node 0: layer is 1, but it stands in layer 2")));
  EXPECT_THAT(Damaged([](Json& f) { Node(f, 0, 0)["expansion"] = {1}; }),
              StatusIs(kInvalid, HasSubstr("layer 1 node 0: expansion has 1 symbols, must have 2")));
  EXPECT_THAT(Damaged([](Json& f) { Node(f, 0, 0)["node_id"] = uint64_t{1} << 40; }),
              StatusIs(kInvalid, HasSubstr("node_id is 1099511627776, must be at most 2147483646")));
  EXPECT_THAT(Damaged([](Json& f) {
                Node(f, 0, 0)["expansion"] = {1, uint64_t{1} << 40};
              }),
              StatusIs(kInvalid, HasSubstr("expansion[1] is 1099511627776")));
  EXPECT_THAT(Damaged([](Json& f) { Node(f, 0, 0)["node_id"] = -1; }),
              StatusIs(kInvalid, HasSubstr("node_id is -1, must not be negative")));
  EXPECT_THAT(Damaged([](Json& f) {
                Node(f, 0, 0)["expansion"] = {-3, 1};
              }),
              StatusIs(kInvalid, HasSubstr("expansion[0] is -3, must not be negative")));
}

TEST(UniverseFileTest, WrongTypesAndKeysAreRefusedByName) {
  EXPECT_THAT(Damaged([](Json& f) { f["extra"] = 1; }), StatusIs(kInvalid, HasSubstr("unknown key \"extra\"")));
  EXPECT_THAT(Damaged([](Json& f) { f.erase("stats"); }), StatusIs(kInvalid, HasSubstr("has no \"stats\"")));
  EXPECT_THAT(Damaged([](Json& f) { f["format"] = "clm-universe-2"; }),
              StatusIs(kInvalid, HasSubstr("clm-universe-2")));
  EXPECT_THAT(Damaged([](Json& f) { f["version"] = "dc-v2"; }), StatusIs(kInvalid, HasSubstr("version is \"dc-v2\"")));
  EXPECT_THAT(Damaged([](Json& f) { f["layers"] = 4; }), StatusIs(kInvalid, HasSubstr("layers is 4")));
  EXPECT_THAT(Damaged([](Json& f) { f["layers"][0] = 4; }), StatusIs(kInvalid, HasSubstr("layer 1 is 4")));
  EXPECT_THAT(Damaged([](Json& f) { f["layers"][1] = Json::array(); }),
              StatusIs(kInvalid, HasSubstr("layer 2 is empty")));
  EXPECT_THAT(Damaged([](Json& f) { Node(f, 0, 0) = 7; }), StatusIs(kInvalid, HasSubstr("node 0 is not an object")));
  EXPECT_THAT(Damaged([](Json& f) { Node(f, 0, 0).erase("layer"); }),
              StatusIs(kInvalid, HasSubstr("has no \"layer\"")));
  EXPECT_THAT(Damaged([](Json& f) { Node(f, 0, 0)["color"] = 1; }), StatusIs(kInvalid, HasSubstr("\"color\"")));
  EXPECT_THAT(Damaged([](Json& f) { Node(f, 0, 0)["node_id"] = 10.5; }), StatusIs(kInvalid, HasSubstr("an integer")));
  EXPECT_THAT(Damaged([](Json& f) { Node(f, 0, 0)["frequency"] = "9"; }), StatusIs(kInvalid, HasSubstr("frequency")));
  EXPECT_THAT(Damaged([](Json& f) { f["boundary_ids"] = {10}; }), StatusIs(kInvalid, HasSubstr("boundary id 10")));
  EXPECT_THAT(Damaged([](Json& f) { f["base_vocab_size"] = 0; }), StatusIs(kInvalid, HasSubstr("leaves a gap")));
  EXPECT_THAT(Damaged([](Json& f) { f["join_rules"] = {"any"}; }), StatusIs(kInvalid, HasSubstr("1 entries for 2")));
  EXPECT_THAT(Damaged([](Json& f) { f["join_rules"][0] = "all"; }), StatusIs(kInvalid, HasSubstr("'all'")));
  EXPECT_THAT(Damaged([](Json& f) { f["stats"].erase(0); }), StatusIs(kInvalid, HasSubstr("stats has 1 entries")));
  EXPECT_THAT(Damaged([](Json& f) { f["options"]["layers"] = 300; }), StatusIs(kInvalid, HasSubstr("layers is 300")));
  EXPECT_THAT(Damaged([](Json& f) { f["options"].erase("overlap"); }), StatusIs(kInvalid, HasSubstr("\"overlap\"")));
  EXPECT_THAT(Damaged([](Json& f) { f["tokenizer_sha256"] = "xyz"; }), StatusIs(kInvalid, HasSubstr("tokenizer_sha")));
  EXPECT_THAT(Damaged([](Json& f) { f["content_sha256"] = ""; }), StatusIs(kInvalid, HasSubstr("content_sha256")));
  EXPECT_THAT(ParseUniverse("[]"), StatusIs(kInvalid, HasSubstr("not an object")));
  EXPECT_THAT(ParseUniverse("{"), StatusIs(kInvalid));
  EXPECT_THAT(ParseUniverse(""), StatusIs(kInvalid));
}

TEST(UniverseFileTest, AnotherTableUnderTheSameHashIsDataLoss) {
  EXPECT_THAT(Damaged([](Json& f) {
                Node(f, 1, 1)["expansion"] = {10, 4};
              }),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("content_sha256")));
  EXPECT_THAT(Damaged([](Json& f) { f["join_rules"][0] = "within_pretoken"; }),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("content_sha256")));
  EXPECT_OK(Damaged([](Json& f) { Node(f, 1, 1)["frequency"] = 77; })) << "frequencies are not part of the mapping";
}

TEST(UniverseFileTest, LimitsHold) {
  EXPECT_THAT(ParseUniverse(std::string(kMaxUniverseFileBytes + 1, ' ')),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("67108865 bytes")));
  EXPECT_THAT(ParseUniverse(std::string(100'000, '[')), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(Damaged([](Json& f) { f["layers"] = Json(256, Json::array()); }),
              StatusIs(kInvalid, HasSubstr("layers has 256 entries")));
  // Acceptance check 20: 30 doublings.
  EXPECT_THAT(Damaged([](Json& f) {
                f["layers"] = Json::array();
                for (int l = 0; l < 30; ++l) {
                  const int child = l == 0 ? 1 : 9 + l;
                  f["layers"].push_back(
                      {{{"node_id", 10 + l}, {"expansion", {child, child}}, {"layer", l + 1}, {"frequency", 1}}});
                }
                f["join_rules"] = Json(30, "any");
                f["stats"] = Json(30, f["stats"][0]);
              }),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("2097152 base symbols")));
}

TEST(UniverseFileTest, EveryTruncationIsRefused) {
  const std::string text = FormatUniverse(TwoLayerFile());
  for (size_t size = 0; size + 2 < text.size(); ++size) {  // without the last newline it is still whole
    ASSERT_FALSE(ParseUniverse(absl::string_view(text).substr(0, size)).ok()) << size << " bytes";
  }
}

TEST(UniverseFileTest, ReadsFilesOfTheCodecThatFoldPairsOfBytes) {
  constexpr absl::string_view kForeign =
      R"({"version": "dc-v1", "base_vocab_size": 256, "layers": [[
          {"node_id": 256, "expansion": [97, 98], "layer": 1, "frequency": 5}], [
          {"node_id": 257, "expansion": [256, 256], "layer": 2, "frequency": 2}]]})";
  ASSERT_OK_AND_ASSIGN(const UniverseFile file, ParseUniverse(kForeign));
  EXPECT_EQ(file.universe.vocab_size(), 258U);
  EXPECT_EQ(file.universe.Length(257), 4U);
  EXPECT_THAT(file.frequencies, ElementsAre(5, 2));
  EXPECT_EQ(file.tokenizer_sha256, "");
  EXPECT_EQ(file.stats.size(), 2U);
}

TEST(UniverseFileTest, RefusesFilesOfTheCodecWithLongerExpansionsOrAnotherBase) {
  EXPECT_THAT(ParseUniverse(R"({"version": "dc-v1", "base_vocab_size": 256, "layers": [[
          {"node_id": 256, "expansion": [97, 98, 99], "layer": 1, "frequency": 5}]]})"),
              StatusIs(kInvalid, HasSubstr("expansion has 3 symbols")));
  EXPECT_THAT(ParseUniverse(R"({"version": "dc-v1", "base_vocab_size": 300, "layers": []})"),
              StatusIs(kInvalid, HasSubstr("is 300, must be 256")));
}

}  // namespace
}  // namespace clm
