#include "core/tokenizer/tokenizer_pipeline.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "core/text/pretokenizer.h"
#include "tests/core/tokenizer/tiny_tokenizer_json.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::clm::testing::TinyTokenizerJson;
using ::testing::HasSubstr;
using Json = nlohmann::json;

const Json kByteLevel = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};

Json Split(const std::string& regex) {
  return {{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}, {"invert", false}};
}

Json Sequence(const char* list_key, const std::vector<Json>& steps) {
  return {{"type", "Sequence"}, {list_key, steps}};
}

Json With(const char* key, const Json& value) {
  Json file = TinyTokenizerJson();
  file[key] = value;
  return file;
}

void ExpectRefused(const char* key, const Json& value, const char* words,
                   absl::StatusCode code = absl::StatusCode::kInvalidArgument) {
  EXPECT_THAT(ReadTokenizerPipeline(With(key, value)).status(), StatusIs(code, HasSubstr(words))) << value.dump();
}

void ExpectPattern(const char* key, const Json& value, absl::string_view pattern) {
  const absl::StatusOr<TokenizerPipeline> read = ReadTokenizerPipeline(With(key, value));
  ASSERT_OK(read) << value.dump();
  EXPECT_EQ(read->pattern, pattern);
}

Json Steps(const std::vector<Json>& steps) { return Sequence("pretokenizers", steps); }

std::string Chain(const std::vector<absl::string_view>& steps) { return absl::StrJoin(steps, "\x1E"); }

Json ByteLevel(bool use_regex) {
  Json step = kByteLevel;
  step["use_regex"] = use_regex;
  return step;
}

TEST(TokenizerPipelineTest, ReadsByteLevelWithAndWithoutItsOwnPattern) {
  ExpectPattern("pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}, kGpt2Pattern);
  ExpectPattern("pre_tokenizer", kByteLevel, kWholeDocumentPattern);
  ExpectPattern("pre_tokenizer", Steps({kByteLevel}), kWholeDocumentPattern);
  ExpectPattern("pre_tokenizer", Steps({ByteLevel(true)}), kGpt2Pattern);
}

TEST(TokenizerPipelineTest, StepsBecomeAChainOfPatterns) {
  const std::string gpt2(kGpt2Pattern);
  const Json digits = {{"type", "Digits"}, {"individual_digits", true}};
  ExpectPattern("pre_tokenizer", Steps({Split(gpt2), kByteLevel}), kGpt2Pattern);
  ExpectPattern("pre_tokenizer", Steps({digits, ByteLevel(true)}), Chain({R"(\p{N})", kGpt2Pattern}));
  ExpectPattern("pre_tokenizer", Steps({Json{{"type", "Digits"}}, kByteLevel}), R"(\p{N}+)");
  ExpectPattern("pre_tokenizer", Steps({Split("[a-z]"), Split("[0-9]"), kByteLevel}), Chain({"[a-z]", "[0-9]"}));
  ExpectPattern("pre_tokenizer", Steps({Json{{"type", "Punctuation"}, {"behavior", "Contiguous"}}, kByteLevel}),
                R"([!-/:-@\[-`{-~\p{P}]+)");
  ExpectPattern("pre_tokenizer", Steps({Json{{"type", "Punctuation"}}, kByteLevel}), R"([!-/:-@\[-`{-~\p{P}])");
}

TEST(TokenizerPipelineTest, PatternsMeanWhatTheyMeanToTheProgramThatWroteThem) {
  ExpectPattern("pre_tokenizer", Steps({Split(R"(\p{N}{1,3}+|\s+$)"), kByteLevel}), R"((?:\p{N}{1,3})+|\s+(?=\n|\z))");
  Json literal = Split("");
  literal["pattern"] = {{"String", "<a.b\n>"}};
  ExpectPattern("pre_tokenizer", Steps({literal, kByteLevel}), "<a\\.b\n>");
}

TEST(TokenizerPipelineTest, BehaviorsThatKeepEveryByteAreRead) {
  Json inverted = Split("a+");
  inverted["invert"] = true;  // matches and the rest are pieces either way
  ExpectPattern("pre_tokenizer", Steps({inverted, kByteLevel}), "a+");
  inverted["behavior"] = "Removed";
  ExpectRefused("pre_tokenizer", Steps({inverted, kByteLevel}), "Removed\\\"\" and is inverted");
  inverted["pattern"] = {{"Regex", std::string(kCl100kPattern)}};  // nothing does not match it
  ExpectPattern("pre_tokenizer", Steps({inverted, kByteLevel}), kCl100kPattern);
  for (const char* behavior : {"Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"}) {
    Json split = Split(std::string(kCl100kPattern));
    split["behavior"] = behavior;
    ExpectRefused("pre_tokenizer", Steps({split, kByteLevel}), behavior);
  }
}

TEST(TokenizerPipelineTest, RefusesOtherPreTokenizersByName) {
  ExpectRefused("pre_tokenizer", nullptr, "pre_tokenizer does not end with ByteLevel");
  ExpectRefused("pre_tokenizer", "x", "neither null nor an object");
  ExpectRefused("pre_tokenizer", {{"type", "Metaspace"}}, "does not end with ByteLevel");
  ExpectRefused("pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", true}}, "add_prefix_space");
  ExpectRefused("pre_tokenizer", {{"type", "ByteLevel"}}, "lacks add_prefix_space");
  ExpectRefused("pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", 1}}, "use_regex");
  ExpectRefused("pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"odd", 1}}, "\"odd\"");
  ExpectRefused("pre_tokenizer", Steps({kByteLevel, kByteLevel}), "\"ByteLevel\" at step 0 is not supported");
  for (const char* type : {"Whitespace", "Metaspace", "BertPreTokenizer", "Sequence"}) {
    ExpectRefused("pre_tokenizer", Steps({Json{{"type", type}}, kByteLevel}), type);
  }
  ExpectRefused("pre_tokenizer", Steps({Json{{"type", "Digits"}, {"individual_digits", 1}}, kByteLevel}), "no boolean");
  ExpectRefused("pre_tokenizer", Steps({Json{{"type", "Digits"}, {"x", 1}}, kByteLevel}), "\"x\"");
  ExpectRefused("pre_tokenizer", Steps({Json{{"type", "Punctuation"}, {"behavior", "Removed"}}, kByteLevel}),
                "Punctuation has behavior");
  ExpectRefused("pre_tokenizer", Sequence("wrong", {}), "Sequence without a list");
  ExpectRefused("pre_tokenizer", Steps({Json(1)}), "step that is not an object");
  ExpectRefused("pre_tokenizer", Steps(std::vector<Json>(17, kByteLevel)), "17 steps; limit 16",
                absl::StatusCode::kResourceExhausted);
}

TEST(TokenizerPipelineTest, RefusesBrokenSplits) {
  ExpectRefused("pre_tokenizer", Steps({Split("\\b"), kByteLevel}), "pre_tokenizer: split pattern: this escape");
  ExpectRefused("pre_tokenizer", Steps({Split("(?<=a+)b"), kByteLevel}), "pre_tokenizer: split pattern: lookbehind");
  ExpectRefused("pre_tokenizer", Steps({Split(""), kByteLevel}), "empty pattern");
  ExpectRefused("pre_tokenizer", Steps({Split("a\x1E"), kByteLevel}), "U+001E");
  Json split = Split("a");
  split["pattern"] = {{"String", "a"}, {"Regex", "a"}};
  ExpectRefused("pre_tokenizer", Steps({split, kByteLevel}), "neither Regex nor String");
  split["pattern"] = "a";
  ExpectRefused("pre_tokenizer", Steps({split, kByteLevel}), "Split has no pattern");
  split = Split("a");
  split["invert"] = 1;
  ExpectRefused("pre_tokenizer", Steps({split, kByteLevel}), "invert that is no boolean");
}

TEST(TokenizerPipelineTest, RefusesWhatChangesTextOrIds) {
  ExpectRefused("normalizer", {{"type", "NFKC"}}, "\"NFKC\" changes the text");
  ExpectRefused("normalizer", Sequence("normalizers", {Json{{"type", "NFC"}}, Json{{"type", "Lowercase"}}}),
                "\"Lowercase\" changes the text");
  ExpectPattern("normalizer", Sequence("normalizers", {}), kGpt2Pattern);
  ExpectRefused("truncation", {{"max_length", 5}}, "truncation is set");
  ExpectRefused("padding", {{"pad_id", 0}}, "padding is set");
  ExpectRefused("decoder", {{"type", "WordPiece"}}, "\"WordPiece\" is not ByteLevel");
  ExpectPattern("decoder", nullptr, kGpt2Pattern);
  ExpectRefused("post_processor", {{"type", "Surprise"}}, "\"Surprise\" is not known");
  ExpectRefused("version", "2.0", "version is");
  ExpectRefused("surprise", 1, "\"surprise\" whose effect is not known");
  EXPECT_THAT(ReadTokenizerPipeline(Json::array()).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a JSON object")));
}

TEST(TokenizerPipelineTest, SaysWhatIsNotDone) {
  const auto not_applied = [](const char* key, const Json& value) {
    const absl::StatusOr<TokenizerPipeline> read = ReadTokenizerPipeline(With(key, value));
    EXPECT_OK(read) << value.dump();
    return read.ok() ? absl::StrJoin(read->not_applied, ";") : "";
  };
  EXPECT_EQ(not_applied("post_processor", {{"type", "ByteLevel"}, {"trim_offsets", true}}), "");
  EXPECT_EQ(not_applied("normalizer", nullptr), "");
  EXPECT_THAT(not_applied("normalizer", {{"type", "NFC"}}), HasSubstr("NFC is not applied"));
  for (const char* type : {"TemplateProcessing", "RobertaProcessing", "BertProcessing"}) {
    EXPECT_THAT(not_applied("post_processor", {{"type", type}}), HasSubstr("is not applied"));
  }
  EXPECT_THAT(not_applied("post_processor",
                          Sequence("processors", {Json{{"type", "ByteLevel"}}, Json{{"type", "TemplateProcessing"}}})),
              HasSubstr("TemplateProcessing is not applied"));
}

TEST(TokenizerPipelineTest, WhatIsWrittenReadsBackTheSame) {
  const std::vector<std::string> patterns = {"",
                                             std::string(kGpt2Pattern),
                                             std::string(kCl100kPattern),
                                             std::string(kO200kPattern),
                                             R"(\p{N}{1,3}|"\\)",
                                             Chain({R"(\p{N})", kGpt2Pattern}),
                                             Chain({"a", kGpt2Pattern, "b"}),
                                             Chain({"\n", "b"})};
  for (const std::string& pattern : patterns) {
    ASSERT_OK_AND_ASSIGN(const std::string json, PreTokenizerJson(pattern));
    ExpectPattern("pre_tokenizer", Json::parse(json), pattern);
  }
  EXPECT_THAT(PreTokenizerJson("(").status(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("group")));
}

// {1,3}+ and $ would mean something else there.
TEST(TokenizerPipelineTest, TiktokensSpellingIsTranslated) {
  ASSERT_OK_AND_ASSIGN(
      const std::string json,
      PreTokenizerJson(
          R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)"));
  EXPECT_THAT(json, HasSubstr(R"(|(?>\\p{N}{1,3})| ?)"));
  EXPECT_THAT(json, HasSubstr(R"(|\\s++\\z|)"));
}

}  // namespace
}  // namespace clm
