#include "core/coordinate/universe_options.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

TEST(UniverseOptionsTest, EveryFieldHasARange) {
  const auto refusal = [](auto change) {
    UniverseOptions options;
    change(options);
    return options.Validate();
  };
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_OK(UniverseOptions().Validate());
  EXPECT_THAT(refusal([](auto& o) { o.layers = 256; }), StatusIs(kInvalid, HasSubstr("layers is 256")));
  EXPECT_THAT(refusal([](auto& o) { o.layers = -1; }), StatusIs(kInvalid, HasSubstr("layers is -1")));
  EXPECT_THAT(refusal([](auto& o) { o.nodes_per_layer = -1; }), StatusIs(kInvalid, HasSubstr("nodes_per_layer is -1")));
  EXPECT_THAT(refusal([](auto& o) { o.min_count = 0; }), StatusIs(kInvalid, HasSubstr("min_count is 0")));
  EXPECT_THAT(refusal([](auto& o) { o.selection_min_count = -1; }), StatusIs(kInvalid, HasSubstr("selection_min")));
  EXPECT_THAT(refusal([](auto& o) { o.active_min_count = -1; }), StatusIs(kInvalid, HasSubstr("active_min_count")));
  EXPECT_THAT(refusal([](auto& o) { o.max_expansion_length = 1; }), StatusIs(kInvalid, HasSubstr("is 1, must be")));
  EXPECT_THAT(refusal([](auto& o) { o.superword_layers = 1; }), StatusIs(kInvalid, HasSubstr("within_pretoken")));
  EXPECT_THAT(refusal([](auto& o) { o.superword_nodes_per_layer = -1; }), StatusIs(kInvalid, HasSubstr("superword")));
  EXPECT_THAT(refusal([](auto& o) { o.constraint = JoinRule::kWholePretokens; }), StatusIs(kInvalid));
  EXPECT_THAT(refusal([](auto& o) {
                o.constraint = JoinRule::kWithinPretoken;
                o.layers = 250;
                o.superword_layers = 6;
              }),
              StatusIs(kInvalid, HasSubstr("layers + superword_layers is 256")));
}

TEST(UniverseOptionsTest, PresetsAreValid) {
  for (const char* name : {"pairs", "w", "ws"}) {
    ASSERT_OK_AND_ASSIGN(const UniverseOptions options, UniversePreset(name));
    EXPECT_OK(options.Validate()) << name;
  }
  EXPECT_THAT(UniversePreset("x"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("pairs, w, ws")));
}

TEST(UniverseOptionsTest, NamesComeBack) {
  for (const JoinRule rule : {JoinRule::kAny, JoinRule::kWithinPretoken, JoinRule::kWholePretokens}) {
    EXPECT_EQ(ParseJoinRule(NameOf(rule)).value(), rule);
  }
  for (const PairStrategy strategy : {PairStrategy::kCount, PairStrategy::kPmi}) {
    EXPECT_EQ(ParsePairStrategy(NameOf(strategy)).value(), strategy);
  }
  for (const PairOverlap overlap : {PairOverlap::kRaw, PairOverlap::kExact}) {
    EXPECT_EQ(ParsePairOverlap(NameOf(overlap)).value(), overlap);
  }
  EXPECT_THAT(ParseJoinRule("no"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'no'")));
  EXPECT_THAT(ParsePairStrategy("no"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'no'")));
  EXPECT_THAT(ParsePairOverlap("no"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'no'")));
}

}  // namespace
}  // namespace clm
