#include "core/data/json_line.h"

#include "core/base/status_macros.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

absl::StatusOr<std::string> Parse(std::string line, std::string field = "text") {
  JsonLineParser parser(std::move(field));
  std::string text = "left over";
  CLM_RETURN_IF_ERROR(parser.Parse(line, text));
  return text;
}

TEST(JsonLineParserTest, EscapesBecomeTheBytesTheyStandFor) {
  ASSERT_OK_AND_ASSIGN(const std::string text,
                       Parse(R"({"id": 7, "text": "a\n\t\"\\\/\u0041\u00e9\ud83d\ude00\u0000z"})"));
  EXPECT_EQ(text, std::string("a\n\t\"\\/A\xC3\xA9\xF0\x9F\x98\x80\0z", 15));
}

TEST(JsonLineParserTest, TheFieldIsChosenByName) {
  ASSERT_OK_AND_ASSIGN(const std::string text, Parse(R"({"text": "no", "body": "yes", "x": {"body": "no"}})", "body"));
  EXPECT_EQ(text, "yes");
}

TEST(JsonLineParserTest, AnEmptyTextIsAText) {
  ASSERT_OK_AND_ASSIGN(const std::string text, Parse(R"({"text":""})"));
  EXPECT_EQ(text, "");
}

TEST(JsonLineParserTest, EachFaultHasItsReason) {
  const auto refused = [](const std::string& reason) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(reason));
  };
  EXPECT_THAT(Parse("{\"text\": \"a\""), refused("not valid JSON"));
  EXPECT_THAT(Parse("{\"text\": \"a\"} x"), refused("not valid JSON"));
  EXPECT_THAT(Parse("{\"text\": \"a\", \"b\": tru}"), refused("not valid JSON"));
  EXPECT_THAT(Parse("{\"text\": \"\xFF\"}"), refused("not valid JSON"));
  EXPECT_THAT(Parse("[\"text\"]"), refused("an array, not an object"));
  EXPECT_THAT(Parse("\"text\""), refused("a string, not an object"));
  EXPECT_THAT(Parse("{\"Text\": \"a\"}"), refused("no field \"text\""));
  EXPECT_THAT(Parse("{\"text\": 5}"), refused("is a number, not a string"));
  EXPECT_THAT(Parse("{\"text\": null}"), refused("is null, not a string"));
  EXPECT_THAT(Parse("{\"text\": {\"text\": \"a\"}}"), refused("is an object, not a string"));
  EXPECT_THAT(Parse(R"({"text": "\ud800"})"), refused("not valid JSON"));
}

TEST(JsonLineParserTest, DeepNestingIsRefusedWithoutRecursion) {
  EXPECT_THAT(Parse("{\"text\":" + std::string(1'000'000, '[')), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(JsonLineParserTest, OneParserServesManyLines) {
  JsonLineParser parser("text");
  std::string text;
  for (int i = 0; i < 100; ++i) {
    std::string line = "{\"text\":\"" + std::string(static_cast<size_t>(i) * 37, 'x') + "\"}";
    ASSERT_OK(parser.Parse(line, text));
    ASSERT_EQ(text.size(), static_cast<size_t>(i) * 37);
    std::string bad = "{";
    ASSERT_FALSE(parser.Parse(bad, text).ok());
  }
}

}  // namespace
}  // namespace clm
