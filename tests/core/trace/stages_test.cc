#include "core/trace/stages.h"

#include "core/base/rng.h"
#include "core/representation/byte.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/trace/trace_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::FixedPredictor;
using ::clm::testing::Prose;
using ::clm::testing::SmallCountPredictor;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

class StagesTest : public ::testing::Test {
 protected:
  StagesTest() : model_{.name = "count", .representation = &bytes_, .predictor = predictor_.get()} {}

  // `input` through these stages, one after the other.
  absl::StatusOr<std::string> Pipe(std::vector<std::string> stages, std::string input, const StageOptions& options) {
    for (const std::string& stage : stages) {
      auto output = RunStage(stage, &model_, input, options);
      if (!output.ok()) return output.status();
      input = *std::move(output);
    }
    return input;
  }

  const ByteRepresentation bytes_;
  const std::unique_ptr<SymbolPredictor> predictor_ = SmallCountPredictor();
  const StageModel model_;
};

const std::vector<std::string>& Forward() {
  static const auto* const kStages =
      new std::vector<std::string>{"tokensOfStr", "modelToInx", "rangeEncode", "binOfRange"};
  return *kStages;
}
const std::vector<std::string>& Backward() {
  static const auto* const kStages =
      new std::vector<std::string>{"binToRange", "rangeDecode", "modelOfInx", "tokensToStr"};
  return *kStages;
}

TEST_F(StagesTest, AnyTextComesBackThroughAllEight) {
  CounterRng rng(1, "stages", 0);
  std::string noise;
  for (int i = 0; i < 100; ++i) noise.push_back(static_cast<char>(static_cast<uint8_t>(rng.NextU32())));
  for (const std::string& text : {Prose(), std::string(), std::string("a"), std::string("aabb"), noise}) {
    for (const StageOptions& options : {StageOptions{}, StageOptions{.top_n = 3, .precision_bits = 16}}) {
      ASSERT_OK_AND_ASSIGN(const std::string bin, Pipe(Forward(), text, options));
      ASSERT_OK_AND_ASSIGN(const std::string back, Pipe(Backward(), bin, options));
      EXPECT_EQ(back, text);
    }
  }
  const StageOptions window = {.context_window = 5};
  ASSERT_OK_AND_ASSIGN(const std::string bin, Pipe(Forward(), Prose().substr(0, 40), window));
  ASSERT_OK_AND_ASSIGN(const std::string back, Pipe(Backward(), bin, window));
  EXPECT_EQ(back, Prose().substr(0, 40));
}

TEST_F(StagesTest, EachStageGivesTheFieldsOfTheScripts) {
  const StageOptions options = {.comment = "c"};
  const auto keys = [](const std::string& json) {
    std::string out;
    bool in_key = false;
    for (size_t i = 0; i < json.size(); ++i) {
      if (json[i] != '"') {
        if (in_key) out += json[i];
        continue;
      }
      in_key = !in_key && (json[i - 1] == '{' || json[i - 2] == ',');
      if (in_key && !out.empty()) out += ' ';
    }
    return out;
  };
  ASSERT_OK_AND_ASSIGN(const std::string tokens, Pipe({"tokensOfStr"}, "abab", options));
  EXPECT_EQ(tokens,
            "{\"modelName\": \"count\", \"vocabSize\": 257, \"comment\": \"c\", \"tokenList\": "
            "[[97, -1, 0.0], [98, -1, 0.0], [97, -1, 0.0], [98, -1, 0.0]]}");
  ASSERT_OK_AND_ASSIGN(const std::string ranks, Pipe({"modelToInx"}, tokens, options));
  EXPECT_EQ(keys(ranks), "modelName vocabSize comment contextwindow topN tokenList");
  EXPECT_THAT(ranks, HasSubstr("\"comment\": \"cc\""));
  EXPECT_THAT(ranks, HasSubstr("\"tokenList\": [[97, -1, 0.0], [98, "));
  ASSERT_OK_AND_ASSIGN(const std::string coded, Pipe({"rangeEncode"}, ranks, options));
  EXPECT_EQ(keys(coded), "modelName vocabSize comment contextwindow topN precision length inxToSym counts compressed");
  ASSERT_OK_AND_ASSIGN(const std::string unpacked, Pipe({"binOfRange", "binToRange"}, coded, options));
  EXPECT_EQ(keys(unpacked), "precision length inxToSym counts compressed");
  ASSERT_OK_AND_ASSIGN(const std::string decoded, Pipe({"rangeDecode"}, unpacked, options));
  EXPECT_EQ(keys(decoded), "tokenList precision length inxToSym counts compressed");
  ASSERT_OK_AND_ASSIGN(const std::string restored, Pipe({"modelOfInx"}, decoded, options));
  EXPECT_EQ(keys(restored), "modelName contextwindow topN tokenList");
}

TEST_F(StagesTest, RangeStagesCarryTheGoldenMessage) {
  const std::string json =
      "{\"tokenList\": [[15496,-1,0],[0,0,0],[0,0,0],[0,1,0],[0,0,0],[0,2,0],[0,0,0],[0,0,0],[995,-1,0]]}";
  ASSERT_OK_AND_ASSIGN(const std::string coded, Pipe({"rangeEncode"}, json, {}));
  EXPECT_EQ(coded,
            "{\"precision\": 32, \"length\": 9, \"inxToSym\": [-1, 15496, -2, -3, 995], \"counts\": [5, 1, 1, 1, 1], "
            "\"compressed\": [2386097830, 9785]}");
  ASSERT_OK_AND_ASSIGN(const std::string bin, Pipe({"binOfRange"}, coded, {}));
  EXPECT_EQ(bin.size(), 52U);
}

TEST_F(StagesTest, LettersFlipThereAndBack) {
  EXPECT_EQ(*Pipe({"flipLetters"}, "One. Two", {}), "One. two");
  EXPECT_EQ(*Pipe({"flipLetters", "flipLetters"}, "One. Two", {}), "One. Two");
}

TEST_F(StagesTest, DataBecomesTextByItsNibbles) {
  const StageOptions options = {.comment = "It was "};
  ASSERT_OK_AND_ASSIGN(const std::string json, Pipe({"tokensOfData"}, "\x5C", options));
  EXPECT_THAT(json, HasSubstr("[32, -1, 0.0], [0, 12, 0.0], [0, 5, 0.0]]"));
  const std::string zeros(18, '\0');
  ASSERT_OK_AND_ASSIGN(const std::string text, Pipe({"tokensOfData", "modelOfInx", "tokensToStr"}, zeros, options));
  EXPECT_EQ(text.size(), 7U + 36U);
  EXPECT_EQ(text.substr(0, 7), "It was ");
}

TEST_F(StagesTest, StopAfterRanksTheBeginningOnly) {
  ASSERT_OK_AND_ASSIGN(const std::string tokens, Pipe({"tokensOfStr"}, "abcd", {}));
  ASSERT_OK_AND_ASSIGN(const std::string ranks, Pipe({"modelToInx"}, tokens, {.top_n = 0, .stop_after = 2}));
  ASSERT_OK_AND_ASSIGN(const StageDocument document, ParseStageJson(ranks));
  ASSERT_TRUE(document.token_list.has_value());
  ASSERT_EQ(document.token_list->size(), 4U);
  EXPECT_NE((*document.token_list)[1].rank, kMissRank);
  EXPECT_EQ((*document.token_list)[2].rank, kMissRank);
  ASSERT_OK_AND_ASSIGN(const std::string longer, Pipe({"tokensOfStr"}, "abcd", {.stop_after = 2}));
  EXPECT_THAT(longer, HasSubstr("\"tokenList\": [[97, -1, 0.0], [98, -1, 0.0]]"));
}

TEST_F(StagesTest, ListsOfOtherModelsAndSettingsAreRefused) {
  ASSERT_OK_AND_ASSIGN(const std::string ranks, Pipe({"tokensOfStr", "modelToInx"}, Prose(), {}));
  FixedPredictor other(std::vector<uint32_t>(256, 1), 12);
  const StageModel other_model = {.name = "other", .representation = &bytes_, .predictor = &other};
  EXPECT_THAT(RunStage("modelOfInx", &other_model, ranks, {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("model count, this is other")));
  EXPECT_THAT(Pipe({"modelOfInx"}, ranks, {.context_window = 9}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("context window of 0, asked for is 9")));
  EXPECT_THAT(Pipe({"modelOfInx"}, ranks, {.top_n = 9}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("top 128, asked for is 9")));
}

TEST_F(StagesTest, WhatAStageNeedsIsAskedFor) {
  for (const char* stage : {"modelToInx", "rangeEncode", "modelOfInx", "tokensToStr"}) {
    EXPECT_THAT(Pipe({stage}, "{}", {}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tokenList is missing")));
  }
  for (const char* stage : {"rangeDecode", "binOfRange"}) {
    EXPECT_THAT(Pipe({stage}, "{}", {}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("compressed is missing")));
  }
  EXPECT_THAT(Pipe({"binToRange"}, "{}", {}), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Pipe({"tokensToWords"}, "", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tokensOfStr, ")));
  EXPECT_THAT(RunStage("tokensOfStr", nullptr, "", {}), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Pipe({"tokensOfData"}, std::string(kMaxStageSymbols / 2 + 1, 'x'), {}),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(StagesTest, RanksAndTokensThatTheModelCannotHaveGivenAreRefused) {
  EXPECT_THAT(Pipe({"modelOfInx"}, R"({"tokenList": [[0, 300, 0]]})", {.top_n = 0}),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Pipe({"tokensToStr"}, R"({"tokenList": [[300, -1, 0]]})", {}), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(Pipe({"modelToInx"}, R"({"tokenList": [[256, -1, 0]]})", {}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace clm
