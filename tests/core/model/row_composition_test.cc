#include "core/model/row_composition.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::vector<SymbolId>> Leaves() { return {{0}, {1}, {2}, {0, 1}, {2, 0, 1}}; }

TEST(RowCompositionTest, BaseSymbolsAreTheirOwnLeaf) {
  ASSERT_OK_AND_ASSIGN(const RowComposition rows, RowComposition::Create(Leaves(), false));
  EXPECT_EQ(rows.base_size(), 3U);
  EXPECT_EQ(rows.vocab_size(), 5U);
  EXPECT_THAT(rows.leaves(4), ElementsAre(2, 0, 1));
  EXPECT_EQ(rows.first_output_residual(), 3U);
  ASSERT_OK_AND_ASSIGN(const RowComposition residuals, RowComposition::Create(Leaves(), true));
  EXPECT_EQ(residuals.first_output_residual(), 0U);
  EXPECT_NE(rows.Fingerprint(), residuals.Fingerprint());
}

TEST(RowCompositionTest, LeavesBeyondTheLimitAreLeftOut) {
  std::vector<std::vector<SymbolId>> leaves = Leaves();
  leaves.emplace_back(17, 1);
  ASSERT_OK_AND_ASSIGN(const RowComposition rows, RowComposition::Create(leaves, false));
  EXPECT_EQ(rows.leaves(5).size(), 16U);
}

TEST(RowCompositionTest, WhatIsNoCompositionIsRefused) {
  EXPECT_THAT(RowComposition::Create({}, false), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("id 0")));
  std::vector<std::vector<SymbolId>> leaves = Leaves();
  leaves[4] = {0, 3};
  EXPECT_THAT(RowComposition::Create(leaves, false),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("id 4 has leaf 3, base symbols end at 3")));
  leaves[4] = {};
  EXPECT_THAT(RowComposition::Create(leaves, false),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("id 4 has no leaves")));
}

TEST(RowCompositionTest, LayoutHoldsBaseRowsGatesAndResiduals) {
  ASSERT_OK_AND_ASSIGN(const RowComposition rows, RowComposition::Create(Leaves(), false));
  ModelConfig config;
  config.vocab_size = 5;
  const ParameterLayout layout = rows.Layout(config);
  EXPECT_EQ(layout.Find("composition.base.weight").rows, 3);
  EXPECT_EQ(layout.Find("composition.output_residual").rows, 2);
  EXPECT_EQ(layout.Find("composition.output_residual").group, ParameterGroup::kResidual);
  EXPECT_FALSE(layout.Contains("lm_head.weight"));
}

}  // namespace
}  // namespace clm
