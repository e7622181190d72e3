#include "core/coordinate/universe.h"

#include <vector>

#include "core/coordinate/unfolder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/coordinate/universe_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::Ids;
using ::clm::testing::MakeUniverse;
using ::clm::testing::Pairs;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::Status Refusal(uint32_t base_size, const std::vector<Pairs>& layers, Ids boundaries = {},
                     const UniverseLimits& limits = {}) {
  std::vector<UniverseLayer> all;
  for (const Pairs& pairs : layers) all.push_back({.rule = JoinRule::kAny, .pairs = pairs});
  return Universe::Create(base_size, std::move(boundaries), std::move(all), limits).status();
}

// 100 = (81 19), 101 = (19 42), 102 = (100 100), 103 = (100 101)
Universe TwoLayers() { return MakeUniverse(100, {{{81, 19}, {19, 42}}, {{100, 100}, {100, 101}}}, {0}); }

TEST(UniverseTest, NumbersCoordinatesBehindTheBaseWithoutGaps) {
  const Universe universe = TwoLayers();
  EXPECT_EQ(universe.base_size(), 100U);
  EXPECT_EQ(universe.vocab_size(), 104U);
  EXPECT_EQ(universe.layer_count(), 2);
  EXPECT_EQ(universe.FirstId(1), 100U);
  EXPECT_EQ(universe.FirstId(2), 102U);
  EXPECT_EQ(universe.Children(103), (SymbolPair{100, 101}));
  EXPECT_THAT(universe.Pairs(2), ElementsAre(SymbolPair{100, 100}, SymbolPair{100, 101}));
  EXPECT_EQ(universe.LayerOf(99), 0);
  EXPECT_EQ(universe.LayerOf(100), 1);
  EXPECT_EQ(universe.LayerOf(101), 1);
  EXPECT_EQ(universe.LayerOf(102), 2);
  EXPECT_EQ(universe.Length(7), 1U);
  EXPECT_EQ(universe.Length(103), 4U);
  EXPECT_TRUE(universe.IsBoundary(0));
  EXPECT_FALSE(universe.IsBoundary(81));
}

TEST(UniverseTest, UnfoldsToBaseSymbols) {
  Ids out = {5};
  ASSERT_OK(TwoLayers().Unfold(Ids{103, 0, 102}, out));
  EXPECT_THAT(out, ElementsAre(5, 81, 19, 19, 42, 0, 81, 19, 81, 19));
}

// Acceptance check 19: an unknown id is an error that names the position, and nothing is written.
TEST(UniverseTest, UnknownIdIsRefusedWithItsPosition) {
  Ids out = {5};
  EXPECT_THAT(TwoLayers().Unfold(Ids{103, 104}, out),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("symbol 104 at position 1 is not below the vocabulary "
                                                                "size 104")));
  EXPECT_THAT(out, ElementsAre(5));
}

// Acceptance check 9: no layers is the identity.
TEST(UniverseTest, NoLayersIsTheIdentity) {
  const Universe universe = MakeUniverse(10, {});
  EXPECT_EQ(universe.vocab_size(), 10U);
  Ids out;
  ASSERT_OK(universe.Unfold(Ids{9, 0, 9}, out));
  EXPECT_THAT(out, ElementsAre(9, 0, 9));
}

TEST(UniverseTest, EveryBrokenRuleHasItsOwnMessage) {
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(Refusal(0, {}), StatusIs(kInvalid, HasSubstr("base_vocab_size is 0")));
  EXPECT_THAT(Refusal(10, {{}}), StatusIs(kInvalid, HasSubstr("layer 1 is empty")));
  EXPECT_THAT(Refusal(10, {{{1, 2}}}, {10}), StatusIs(kInvalid, HasSubstr("boundary id 10 is not below")));
  EXPECT_THAT(Refusal(10, {{{1, 2}}}, {3, 3}), StatusIs(kInvalid, HasSubstr("boundary id 3 is given twice")));
  EXPECT_THAT(Refusal(10, {{{1, 3}}}, {3}), StatusIs(kInvalid, HasSubstr("contains the boundary symbol 3")));
  EXPECT_THAT(Refusal(10, {{{1, 2}, {1, 2}}}), StatusIs(kInvalid, HasSubstr("coordinate 11 repeats the pair (1, 2)")));
  EXPECT_THAT(Refusal(10, {{{10, 2}}}), StatusIs(kInvalid, HasSubstr("coordinate 10 contains itself")));
  EXPECT_THAT(Refusal(10, {{{11, 2}, {10, 1}}}), StatusIs(kInvalid, HasSubstr("coordinate 10 contains itself")));
  EXPECT_THAT(Refusal(10, {{{1, 2}, {1, 10}}}),
              StatusIs(kInvalid, HasSubstr("coordinate 11 has the child 10, a forward "
                                           "reference: children must be below 10")));
  EXPECT_THAT(Refusal(10, {{{1, 11}}, {{1, 2}}}), StatusIs(kInvalid, HasSubstr("forward reference")));
  EXPECT_THAT(Refusal(10, {{{1, 77}}}), StatusIs(kInvalid, HasSubstr("child 77, the universe ends at 11")));
  EXPECT_THAT(Refusal(3, std::vector<Pairs>(256, Pairs{{1, 2}})), StatusIs(kInvalid, HasSubstr("256 layers")));
}

// Acceptance check 20: a chain of 200 layers unfolds without recursion.
TEST(UniverseTest, ChainOfTwoHundredLayersUnfolds) {
  std::vector<Pairs> layers = {{{0, 1}}};
  while (layers.size() < 200) layers.push_back({{static_cast<SymbolId>(1 + layers.size()), 1}});
  const Universe universe = MakeUniverse(2, layers);
  Ids out;
  ASSERT_OK(universe.Unfold(Ids{universe.vocab_size() - 1}, out));
  ASSERT_EQ(out.size(), 201U);
  EXPECT_EQ(out[0], 0U);
  EXPECT_EQ(out[200], 1U);
}

// Acceptance check 20: 60 doublings would unfold to 2^60 symbols; the size is known and refused before any is written.
TEST(UniverseTest, ExpansionBombIsRefusedBySize) {
  std::vector<Pairs> layers = {{{0, 0}}};
  while (layers.size() < 60) {
    const auto last = static_cast<SymbolId>(layers.size());
    layers.push_back({{last, last}});
  }
  EXPECT_THAT(Refusal(1, layers), StatusIs(absl::StatusCode::kResourceExhausted,
                                           HasSubstr("coordinate 21 stands for 2097152 base symbols, the limit is")));
}

TEST(UniverseTest, LimitsHold) {
  constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;
  const std::vector<Pairs> layers = {{{0, 1}, {1, 0}}, {{3, 3}}};  // lengths 2, 2, 4
  EXPECT_OK(Refusal(3, layers, {}, {.max_coordinates = 3, .max_expansion_length = 4, .max_total_length = 8}));
  EXPECT_THAT(Refusal(3, layers, {}, {.max_coordinates = 2}), StatusIs(kExhausted, HasSubstr("3 coordinates")));
  EXPECT_THAT(Refusal(3, layers, {}, {.max_expansion_length = 3}), StatusIs(kExhausted, HasSubstr("stands for 4")));
  EXPECT_THAT(Refusal(3, layers, {}, {.max_total_length = 7}),
              StatusIs(kExhausted, HasSubstr("8 base symbols in all")));
  EXPECT_THAT(Refusal(3, layers, {}, {.max_base_size = 2}), StatusIs(kExhausted, HasSubstr("base_vocab_size is 3")));
  EXPECT_THAT(Refusal(3, layers, {}, {.max_expansion_length = 1}), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(UniverseTest, HashCoversWhatDecidesTheMappingAndNothingElse) {
  const std::string hash = TwoLayers().content_sha256();
  EXPECT_EQ(hash.size(), 64U);
  EXPECT_EQ(TwoLayers().content_sha256(), hash);
  const std::vector<Pairs> layers = {{{81, 19}, {19, 42}}, {{100, 100}, {100, 101}}};
  EXPECT_NE(MakeUniverse(100, layers).content_sha256(), hash) << "boundary";
  EXPECT_NE(MakeUniverse(100, layers, {1}).content_sha256(), hash) << "another boundary";
  EXPECT_NE(MakeUniverse(100, layers, {0}, JoinRule::kWithinPretoken).content_sha256(), hash) << "rule";
  EXPECT_NE(MakeUniverse(100, {{{81, 19}, {19, 42}}, {{100, 101}, {100, 100}}}, {0}).content_sha256(), hash) << "order";
  EXPECT_NE(MakeUniverse(100, {{{81, 19}}, {{19, 42}}}, {0}).content_sha256(),
            MakeUniverse(100, {{{81, 19}, {19, 42}}}, {0}).content_sha256())
      << "layers";
}

}  // namespace
}  // namespace clm
