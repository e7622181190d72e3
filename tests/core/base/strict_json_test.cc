#include "core/base/strict_json.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

TEST(StrictJsonTest, ReadsEveryKindOfValue) {
  ASSERT_OK_AND_ASSIGN(const nlohmann::json value,
                       ParseStrictJson(R"( {"a":[1,-2,3.5,true,null,"x\u00e9"],"b":{"a":{}}} )", JsonLimits()));
  EXPECT_EQ(value["a"][1], -2);
  EXPECT_EQ(value["a"][5], "x\xc3\xa9");
  EXPECT_TRUE(value["b"]["a"].is_object());
}

TEST(StrictJsonTest, RefusesWhatIsNotOneValue) {
  for (const char* text : {"", " ", "{", "{}{}", "[1,]", "{\"a\":1,}", "nul", "\"a", "'a'", "[1] x", "\xff", "\"\xc3\"",
                           "{\"a\" 1}", "01", "+1", "NaN"}) {
    EXPECT_THAT(ParseStrictJson(text, JsonLimits()), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
  EXPECT_THAT(ParseStrictJson("[1, 2, x]", JsonLimits()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("byte 8")));
}

TEST(StrictJsonTest, RefusesAKeyTwiceInOneObjectOnly) {
  EXPECT_THAT(ParseStrictJson(R"({"a":1,"b":2,"a":3})", JsonLimits()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"a\" occurs twice")));
  EXPECT_OK(ParseStrictJson(R"({"a":{"a":1},"b":[{"a":1},{"a":2}]})", JsonLimits()));
  EXPECT_THAT(ParseStrictJson(R"([{"b":{"c":1},"\u0062":2}])", JsonLimits()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"b\"")));
}

TEST(StrictJsonTest, KeepsTheLimits) {
  const JsonLimits limits{.max_bytes = 20, .max_depth = 3, .max_values = 5};
  EXPECT_OK(ParseStrictJson("[[[1]]]", limits));
  EXPECT_THAT(ParseStrictJson("[[[[1]]]]", limits),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("deeper than 3")));
  EXPECT_OK(ParseStrictJson("[1,2,3,4]", limits));
  EXPECT_THAT(ParseStrictJson("[1,2,3,4,5]", limits),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("more than 5")));
  EXPECT_THAT(ParseStrictJson(std::string(21, ' '), limits),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("21 bytes, the limit is 20")));
}

TEST(StrictJsonTest, DeepNestingCostsNeitherStackNorTime) {
  const std::string bomb(1 << 20, '[');
  EXPECT_THAT(ParseStrictJson(bomb, JsonLimits()), StatusIs(absl::StatusCode::kResourceExhausted));
  std::string objects;
  for (int i = 0; i < 10000; ++i) objects += "{\"a\":";
  EXPECT_THAT(ParseStrictJson(objects, JsonLimits()), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(StrictJsonTest, NumbersBeyondTheRangeOfDoublesAreRefused) {
  EXPECT_THAT(ParseStrictJson("1e999", JsonLimits()), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(StrictJsonTest, KnowsUtf8) {
  EXPECT_TRUE(IsJsonText(""));
  EXPECT_TRUE(IsJsonText("\xf0\x9f\x8e\x89 \x01"));
  EXPECT_FALSE(IsJsonText("\xff"));
  EXPECT_FALSE(IsJsonText("a\xc3"));
  EXPECT_FALSE(IsJsonText("\xed\xa0\x80"));  // a surrogate
}

}  // namespace
}  // namespace clm
