#include "core/data/strict_object.h"

#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

TEST(ParseJsonTest, FaultsNameTheFile) {
  EXPECT_OK(ParseJson("{}", "x.json", 100));
  for (const char* text : {"", "{", "{} {}", "nul", "\"\xFF\"", R"({"a": 1, "a": 2})"}) {
    EXPECT_THAT(ParseJson(text, "x.json", 100), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("x.json")));
  }
  EXPECT_THAT(ParseJson("[1, 2, 3]", "x.json", 8), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("x.json")));
}

class StrictObjectTest : public ::testing::Test {
 protected:
  const nlohmann::json value_ = {
      {"flag", true}, {"count", uint64_t{5'000'000'000}}, {"negative", -1}, {"ratio", 0.5}, {"name", "n"}};
  StrictObject object_{value_, "x.json"};
};

TEST_F(StrictObjectTest, ReadsEachTypeAndIsThenFinished) {
  bool flag = false;
  uint64_t count = 0;
  double ratio = 0;
  double whole = 0;
  std::string name;
  ASSERT_OK(object_.Get("flag", flag));
  ASSERT_OK(object_.Get("count", count));
  ASSERT_OK(object_.Get("ratio", ratio));
  ASSERT_OK(object_.Get("negative", whole));
  EXPECT_THAT(object_.Finish(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("x.json.name is unknown")));
  ASSERT_OK(object_.Get("name", name));
  EXPECT_OK(object_.Finish());
  EXPECT_TRUE(flag);
  EXPECT_EQ(count, 5'000'000'000U);
  EXPECT_EQ(ratio, 0.5);
  EXPECT_EQ(whole, -1);
  EXPECT_EQ(name, "n");
}

TEST_F(StrictObjectTest, WrongTypesAndMissingFieldsAreNamed) {
  bool flag = false;
  uint32_t small = 0;
  uint64_t count = 0;
  std::string name;
  const auto refused = [](const char* text) { return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(text)); };
  EXPECT_THAT(object_.Get("name", flag), refused("x.json.name must be true or false, is a string"));
  EXPECT_THAT(object_.Get("count", small), refused("below 2^32"));
  EXPECT_THAT(object_.Get("negative", count), refused("non-negative integer"));
  EXPECT_THAT(object_.Get("ratio", count), refused("non-negative integer"));
  EXPECT_THAT(object_.Get("flag", name), refused("a string, is a boolean"));
  EXPECT_THAT(object_.Get("none", name), refused("x.json.none is missing"));
}

TEST(StrictObjectOfOtherTypeTest, OnlyObjectsHaveFields) {
  const nlohmann::json list = nlohmann::json::array({1, 2});
  StrictObject object(list, "x.json");
  uint64_t count = 0;
  EXPECT_THAT(object.Get("count", count), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a JSON object")));
  EXPECT_THAT(object.Finish(), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace clm
