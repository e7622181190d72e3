#include "core/representation/vocab_layout.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

VocabLayout Good() {
  return {.vocab_size = 300,
          .boundary = 256,
          .ranges = {{.meaning = "byte", .begin = 0, .end = 256},
                     {.meaning = "special", .begin = 256, .end = 257},
                     {.meaning = "token", .begin = 257, .end = 300}}};
}

TEST(VocabLayoutTest, OrderedDisjointCoveringRangesAreValid) { EXPECT_OK(Good().Validate()); }

TEST(VocabLayoutTest, EveryBrokenRuleIsNamed) {
  const auto refusal = [](auto change) {
    VocabLayout layout = Good();
    change(layout);
    return layout.Validate();
  };
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(refusal([](auto& l) { l.boundary = 300; }), StatusIs(kInvalid, HasSubstr("boundary 300")));
  EXPECT_THAT(refusal([](auto& l) { l.ranges[1].begin = 257; }), StatusIs(kInvalid, HasSubstr("'special' [257, 257)")));
  EXPECT_THAT(refusal([](auto& l) { l.ranges[2].begin = 250; }),
              StatusIs(kInvalid, HasSubstr("does not begin at 257")));
  EXPECT_THAT(refusal([](auto& l) { l.ranges[0].begin = 1; }), StatusIs(kInvalid, HasSubstr("does not begin at 0")));
  EXPECT_THAT(refusal([](auto& l) { l.ranges[2].end = 257; }), StatusIs(kInvalid, HasSubstr("is empty")));
  EXPECT_THAT(refusal([](auto& l) { l.ranges[2].end = 301; }), StatusIs(kInvalid, HasSubstr("beyond the vocabulary")));
  EXPECT_THAT(refusal([](auto& l) { l.ranges.pop_back(); }), StatusIs(kInvalid, HasSubstr("ranges end at 257")));
  EXPECT_THAT(refusal([](auto& l) { l.ranges[0].meaning = ""; }), StatusIs(kInvalid, HasSubstr("no meaning")));
}

}  // namespace
}  // namespace clm
