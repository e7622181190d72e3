#include "core/data/split.h"

#include <set>

#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// SHA-256("abc") begins ba7816bf 8f01cfea (FIPS 180-2, appendix B.1).
TEST(SplitTest, TheHashIsTheFirstEightBytesOfSha256) { EXPECT_EQ(DocumentHash("abc"), 0xba7816bf8f01cfeaU); }

TEST(SplitTest, SharesCutTheHashRange) {
  const SplitOptions options{.selection_ppm = 250'000, .validation_ppm = 250'000};
  EXPECT_EQ(SplitOf(0, options), Split::kBuild);
  EXPECT_EQ(SplitOf(0x7FFFFFFFFFFFFFFF, options), Split::kBuild);
  EXPECT_EQ(SplitOf(0x8000000000000000, options), Split::kSelection);
  EXPECT_EQ(SplitOf(0xBFFFFFFFFFFFFFFF, options), Split::kSelection);
  EXPECT_EQ(SplitOf(0xC000000000000000, options), Split::kValidation);
  EXPECT_EQ(SplitOf(UINT64_MAX, options), Split::kValidation);
}

TEST(SplitTest, DefaultSharesAreNinetyFiveFive) {
  SplitCounts counts;
  for (int i = 0; i < 20'000; ++i) counts.Add(SplitOf(DocumentHash("document " + std::to_string(i)), {}), 1);
  // Three standard deviations of a binomial with 20000 draws at 5 % are 92.
  EXPECT_NEAR(static_cast<double>(counts.documents[1]), 1'000, 92);
  EXPECT_NEAR(static_cast<double>(counts.documents[2]), 1'000, 92);
  EXPECT_OK(counts.Check({}));
}

TEST(SplitTest, OtherDocumentsNeverMoveADocument) {
  const SplitOptions options;
  std::set<std::string> validation;
  for (int i = 0; i < 200; ++i) {
    const std::string document = "text " + std::to_string(i);
    if (SplitOf(DocumentHash(document), options) == Split::kValidation) validation.insert(document);
    EXPECT_EQ(SplitOf(DocumentHash(document), options), SplitOf(DocumentHash(std::string(document)), options));
  }
  EXPECT_FALSE(validation.empty());
}

TEST(SplitTest, EmptySidesAreNamed) {
  SplitCounts counts;
  counts.Add(Split::kBuild, 10);
  counts.Add(Split::kSelection, 0);
  EXPECT_THAT(counts.Check({}), StatusIs(absl::StatusCode::kInvalidArgument,
                                         AllOf(HasSubstr("selection (1 documents"),
                                               HasSubstr("validation (0 documents"), Not(HasSubstr("build (")))));
  EXPECT_THAT(SplitCounts{}.Check({.selection_ppm = 0, .validation_ppm = 0}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("build (0 documents")));
}

TEST(SplitTest, ASideWithoutAShareMayBeEmpty) {
  const SplitOptions options{.selection_ppm = 0, .validation_ppm = 0};
  SplitCounts counts;
  counts.Add(Split::kBuild, 10);
  EXPECT_OK(counts.Check(options));
  for (const uint64_t hash : {uint64_t{0}, UINT64_MAX}) EXPECT_EQ(SplitOf(hash, options), Split::kBuild);
}

TEST(SplitTest, SharesMustLeaveSomethingForBuild) {
  EXPECT_THAT((SplitOptions{.selection_ppm = 500'000, .validation_ppm = 500'000}).Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("validation_ppm 500000")));
  EXPECT_THAT((SplitOptions{.selection_ppm = UINT32_MAX, .validation_ppm = UINT32_MAX}).Validate(),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(SplitTest, NamesGoBothWays) {
  for (const Split split : kAllSplits) {
    ASSERT_OK_AND_ASSIGN(const Split parsed, ParseSplit(SplitName(split)));
    EXPECT_EQ(parsed, split);
  }
  EXPECT_THAT(ParseSplit("test"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"test\"")));
}

TEST(DocumentSetDigestTest, DependsOnOrderAndBordersOfDocuments) {
  const auto digest = [](const std::vector<std::string>& documents) {
    DocumentSetDigest set;
    for (const std::string& document : documents) set.Add(document);
    return set.Finish();
  };
  EXPECT_EQ(digest({"a", "b"}), digest({"a", "b"}));
  EXPECT_NE(digest({"a", "b"}), digest({"b", "a"}));
  EXPECT_NE(digest({"ab"}), digest({"a", "b"}));
  EXPECT_NE(digest({"a"}), digest({"a", ""}));
}

}  // namespace
}  // namespace clm
