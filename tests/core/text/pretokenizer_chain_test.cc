#include "core/text/pretokenizer_chain.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/check.h"
#include "tests/core/text/split_pieces.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::EndsInSteps;
using ::clm::testing::EndsOf;
using ::clm::testing::MixedText;
using ::clm::testing::PiecesOf;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Steps(const std::vector<absl::string_view>& steps) { return absl::StrJoin(steps, "\x1E"); }

std::unique_ptr<const Pretokenizer> Make(absl::string_view pattern) {
  absl::StatusOr<std::unique_ptr<const Pretokenizer>> made = MakePretokenizer(pattern);
  CLM_CHECK(made.ok());
  return *std::move(made);
}

TEST(PretokenizerChainTest, EachStepCutsThePiecesOfTheOneBefore) {
  const auto chain = Make(Steps({R"(\p{N})", kGpt2Pattern}));
  EXPECT_THAT(PiecesOf(*chain, "a  12 b"), ElementsAre("a", "  ", "1", "2", " b"));
  EXPECT_EQ(chain->pattern(), Steps({R"(\p{N})", kGpt2Pattern}));
}

// The slow twin: every step over every piece of a whole document.
std::vector<std::string> InTurn(const std::vector<absl::string_view>& steps, const std::string& text) {
  std::vector<std::string> pieces = {text};
  for (const absl::string_view step : steps) {
    std::vector<std::string> next;
    for (const std::string& piece : pieces) {
      for (std::string& part : PiecesOf(*Make(step), piece)) next.push_back(std::move(part));
    }
    pieces = std::move(next);
  }
  if (text.empty()) pieces.clear();
  return pieces;
}

TEST(PretokenizerChainTest, AgreesWithStepsTakenInTurnHoweverTheTextIsCut) {
  const std::vector<std::vector<absl::string_view>> chains = {
      {R"(\p{N})", kGpt2Pattern},
      {R"(\p{N}{1,3})", "[a-m]+", R"(\s+(?=\n|\z)|\p{L}+)"},
      {R"((?=\n))", R"((?<=a)b|b)", kCl100kPattern},
  };
  for (const std::vector<absl::string_view>& steps : chains) {
    const auto chain = Make(Steps(steps));
    for (uint64_t round = 0; round < 200; ++round) {
      const std::string text = MixedText(round, round % 2 == 0);
      ASSERT_EQ(PiecesOf(*chain, text), InTurn(steps, text)) << "round " << round;
      ASSERT_EQ(EndsInSteps(*chain, text, 1), EndsOf(*chain, text)) << "round " << round;
      ASSERT_EQ(EndsInSteps(*chain, text, 5), EndsOf(*chain, text)) << "round " << round;
    }
  }
}

TEST(PretokenizerChainTest, TextBetweenMatchesIsNotHeldBack) {
  const auto chain = Make(Steps({R"(\p{N})", kGpt2Pattern}));
  std::string text;
  while (text.size() < 20'000) text += "no digit anywhere ";
  std::vector<uint32_t> ends;
  chain->Split(text, false, ends);
  ASSERT_FALSE(ends.empty());
  EXPECT_LT(text.size() - ends.back(), 500U);
}

TEST(PretokenizerChainTest, RefusesBrokenSteps) {
  const auto refused = [](absl::string_view pattern, absl::StatusCode code, const char* words) {
    EXPECT_THAT(MakePretokenizer(pattern).status(), StatusIs(code, HasSubstr(words)));
  };
  refused(
      "\x1E"
      "a",
      absl::StatusCode::kInvalidArgument, "step 0 of the split pattern is empty");
  refused("a\x1E", absl::StatusCode::kInvalidArgument, "step 1 of the split pattern is empty");
  refused(
      "a(\x1E"
      "b",
      absl::StatusCode::kInvalidArgument, "ends within a (group)");
  refused(std::string(kMaxSplitSteps, kSplitStepSeparator), absl::StatusCode::kResourceExhausted, "17 steps; limit 16");
}

}  // namespace
}  // namespace clm
