#include "core/tokenizer/tokenizer_pipeline.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

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

void ExpectRefused(const char* key, const Json& value, const char* words) {
  EXPECT_THAT(ReadTokenizerPipeline(With(key, value)), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words)))
      << value.dump();
}

void ExpectPattern(const char* key, const Json& value, absl::string_view pattern) {
  const absl::StatusOr<std::string> read = ReadTokenizerPipeline(With(key, value));
  ASSERT_OK(read) << value.dump();
  EXPECT_EQ(*read, pattern);
}

TEST(TokenizerPipelineTest, ReadsTheThreeFormsOfPreTokenizer) {
  const std::string gpt2(kGpt2Pattern);
  ExpectPattern("pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}, kGpt2Pattern);
  ExpectPattern("pre_tokenizer", kByteLevel, kWholeDocumentPattern);
  ExpectPattern("pre_tokenizer", Sequence("pretokenizers", {kByteLevel}), kWholeDocumentPattern);
  ExpectPattern("pre_tokenizer", Sequence("pretokenizers", {Split(gpt2), kByteLevel}), kGpt2Pattern);
}

TEST(TokenizerPipelineTest, RefusesOtherPreTokenizersByName) {
  const std::string gpt2(kGpt2Pattern);
  ExpectRefused("pre_tokenizer", nullptr, "pre_tokenizer is missing");
  ExpectRefused("pre_tokenizer", "x", "neither null nor an object");
  ExpectRefused("pre_tokenizer", {{"type", "Metaspace"}}, "\"Metaspace\" at step 0 is not supported");
  ExpectRefused("pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", true}}, "add_prefix_space");
  ExpectRefused("pre_tokenizer", {{"type", "ByteLevel"}}, "lacks add_prefix_space");
  ExpectRefused("pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", 1}}, "use_regex");
  ExpectRefused("pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"odd", 1}}, "\"odd\"");
  ExpectRefused("pre_tokenizer", Sequence("pretokenizers", {Split("\\w+"), kByteLevel}), R"(pattern "\\w+")");
  ExpectRefused("pre_tokenizer", Sequence("pretokenizers", {Split(""), kByteLevel}), "empty Regex");
  ExpectRefused("pre_tokenizer", Sequence("pretokenizers", {Split(gpt2)}), "\"Split\" at step 0");
  ExpectRefused("pre_tokenizer", Sequence("pretokenizers", {Split(gpt2), Split(gpt2), kByteLevel}), "at step 1");
  ExpectRefused("pre_tokenizer", Sequence("pretokenizers", {Json{{"type", "Digits"}}, kByteLevel}), "\"Digits\"");
  ExpectRefused("pre_tokenizer", Sequence("wrong", {}), "Sequence without a list");
  ExpectRefused("pre_tokenizer", Sequence("pretokenizers", {Json(1)}), "step that is not an object");
  Json twice = kByteLevel;
  twice["use_regex"] = true;
  ExpectRefused("pre_tokenizer", Sequence("pretokenizers", {Split(gpt2), twice}), "splits twice");
  Json removed = Split(gpt2);
  removed["behavior"] = "Removed";
  ExpectRefused("pre_tokenizer", Sequence("pretokenizers", {removed, kByteLevel}), "Removed");
  Json inverted = Split(gpt2);
  inverted["invert"] = true;
  ExpectRefused("pre_tokenizer", Sequence("pretokenizers", {inverted, kByteLevel}), "inverted");
  Json literal = Split(gpt2);
  literal["pattern"] = {{"String", " "}};
  ExpectRefused("pre_tokenizer", Sequence("pretokenizers", {literal, kByteLevel}), "does not name a Regex");
}

TEST(TokenizerPipelineTest, RefusesWhatChangesTextOrIds) {
  ExpectRefused("normalizer", {{"type", "NFC"}}, "\"NFC\" changes the text");
  ExpectRefused("normalizer", Sequence("normalizers", {Json{{"type", "Lowercase"}}}), "\"Lowercase\" changes the text");
  ExpectPattern("normalizer", Sequence("normalizers", {}), kGpt2Pattern);
  ExpectRefused("truncation", {{"max_length", 5}}, "truncation is set");
  ExpectRefused("padding", {{"pad_id", 0}}, "padding is set");
  ExpectRefused("decoder", {{"type", "WordPiece"}}, "\"WordPiece\" is not ByteLevel");
  ExpectPattern("decoder", nullptr, kGpt2Pattern);
  ExpectRefused("post_processor", {{"type", "RobertaProcessing"}}, "\"RobertaProcessing\" adds tokens");
  ExpectRefused("version", "2.0", "version is");
  ExpectRefused("surprise", 1, "\"surprise\" whose effect is not known");
  EXPECT_THAT(ReadTokenizerPipeline(Json::array()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a JSON object")));
}

TEST(TokenizerPipelineTest, ATemplateThatAddsNothingIsRead) {
  const Json sequence = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const Json special = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
  ExpectPattern("post_processor", {{"type", "ByteLevel"}, {"trim_offsets", true}}, kGpt2Pattern);
  ExpectPattern("post_processor", {{"type", "TemplateProcessing"}, {"single", Json::array({sequence})}}, kGpt2Pattern);
  ExpectRefused("post_processor", {{"type", "TemplateProcessing"}, {"single", Json::array({special, sequence})}},
                "\"TemplateProcessing\" adds tokens");
}

}  // namespace
}  // namespace clm
