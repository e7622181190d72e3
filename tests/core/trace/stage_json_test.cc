#include "core/trace/stage_json.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(StageJsonTest, EveryFieldIsWrittenAsTheScriptsDo) {
  StageDocument document;
  document.model_name = "gpt2";
  document.vocab_size = 50257;
  document.comment = "a \"b\" \xC3\xA4";
  document.context_window = 1020;
  document.top_n = 128;
  document.token_list = {{.token = 15496},
                         {.token = 11, .rank = 0, .probability = 0.25},
                         {.token = 7, .rank = 3, .probability = 0.1234567}};
  document.coded =
      RankBin{.precision_bits = 32, .length = 3, .symbols = {-1, 7}, .counts = {2, 1}, .words = {9, 4294967295}};
  ASSERT_OK_AND_ASSIGN(const std::string json, WriteStageJson(document));
  EXPECT_EQ(
      json,
      "{\"modelName\": \"gpt2\", \"vocabSize\": 50257, \"comment\": \"a \\\"b\\\" \\u00e4\", \"contextwindow\": 1020, "
      "\"topN\": 128, \"tokenList\": [[15496, -1, 0.0], [11, 0, 0.25], [7, 3, 0.123457]], \"precision\": 32, "
      "\"length\": 3, \"inxToSym\": [-1, 7], \"counts\": [2, 1], \"compressed\": [9, 4294967295]}");
  ASSERT_OK_AND_ASSIGN(const StageDocument back, ParseStageJson(json));
  EXPECT_EQ(*back.model_name, "gpt2");
  EXPECT_EQ(*back.comment, *document.comment);
  EXPECT_EQ(*back.context_window, 1020U);
  EXPECT_EQ(*back.top_n, 128U);
  EXPECT_EQ(back.token_list->size(), 3U);
  EXPECT_EQ((*back.token_list)[2].rank, 3);
  EXPECT_EQ(*back.coded, *document.coded);
}

TEST(StageJsonTest, WhatTheScriptsWriteIsRead) {
  ASSERT_OK_AND_ASSIGN(const StageDocument document,
                       ParseStageJson(R"({"modelName": "gpt2", "vocabSize": 50257, "comment": null,
                                          "tokenList": [[5, -1, 0], [0, 12, 0.0]], "further": {"x": [1]}})"));
  EXPECT_FALSE(document.comment.has_value());
  EXPECT_FALSE(document.coded.has_value());
  EXPECT_EQ((*document.token_list)[1].rank, 12);
  ASSERT_OK_AND_ASSIGN(const StageDocument empty, ParseStageJson("{}"));
  EXPECT_FALSE(empty.token_list.has_value());
  EXPECT_EQ(*WriteStageJson(empty), "{}");
}

TEST(StageJsonTest, HostileDocumentsAreRefusedWithTheField) {
  const auto refused = [](const std::string& json, const char* why) {
    EXPECT_THAT(ParseStageJson(json), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why))) << json;
  };
  refused("", "not JSON");
  refused("[]", "not an object");
  refused(R"({"tokenList": 5})", "field tokenList is not an array");
  refused(R"({"tokenList": [5]})", "tokenList[0] is not [token, rank, probability]");
  refused(R"({"tokenList": [[1, -1, 0], [1, -1]]})", "tokenList[1]");
  refused(R"({"tokenList": [[-1, -1, 0]]})", "not a whole number in [0, 2147483647]");
  refused(R"({"tokenList": [[1, -2, 0]]})", "tokenList[0]");
  refused(R"({"tokenList": [[1, 1.5, 0]]})", "tokenList[0]");
  refused(R"({"tokenList": [[18446744073709551615, 1, 0]]})", "tokenList[0]");
  refused(R"({"tokenList": [[1, 1, 2]]})", "outside [0, 1]");
  refused(R"({"tokenList": [[1, 1, "x"]]})", "no number");
  refused(R"({"modelName": 5})", "field modelName is not a string");
  refused(R"({"topN": -1})", "field topN");
  refused(R"({"compressed": []})", "field precision is missing");
  refused(R"({"compressed": [], "precision": 33, "length": 0})", "field precision");
  refused(R"({"compressed": [], "precision": 32, "length": 0, "counts": []})", "field inxToSym is missing");
  refused(R"({"compressed": [4294967296], "precision": 32, "length": 0, "counts": [], "inxToSym": []})", "compressed");
  refused(R"({"modelName": "a", "modelName": "b"})", "twice");
}

TEST(StageJsonTest, LongListsAreRefused) {
  std::string json = "{\"counts\": [1";
  for (size_t i = 0; i < kMaxStageSymbols; ++i) json += ",1";
  json += "], \"compressed\": [], \"inxToSym\": [], \"precision\": 32, \"length\": 0}";
  EXPECT_THAT(ParseStageJson(json), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("the limit is 262144")));
  StageDocument document;
  document.token_list.emplace(kMaxStageSymbols + 1);
  EXPECT_THAT(WriteStageJson(document), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(StageJsonTest, TextThatIsNoUtf8IsRefused) {
  StageDocument document;
  document.comment = "\xFF";
  EXPECT_THAT(WriteStageJson(document), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("comment")));
}

}  // namespace
}  // namespace clm
