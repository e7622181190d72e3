#include "core/artifact/artifact_id.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

const std::string& Hex() {
  static const std::string hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  return hex;
}

TEST(ArtifactIdTest, NameAndParseAreInverse) {
  for (const ArtifactKind kind : kAllArtifactKinds) {
    ASSERT_OK_AND_ASSIGN(const ArtifactId id, ArtifactId::Create(kind, Hex()));
    EXPECT_EQ(id.Name(), "artifacts/" + std::string(ArtifactKindName(kind)) + "/" + Hex());
    ASSERT_OK_AND_ASSIGN(const ArtifactId parsed, ArtifactId::Parse(id.Name()));
    EXPECT_EQ(parsed, id);
    EXPECT_EQ(parsed.kind(), kind);
    EXPECT_EQ(parsed.ShortId(), "0123456789ab");
  }
}

TEST(ArtifactIdTest, KindsHaveTheNumbersOfTheContract) {
  int number = 10;
  for (const ArtifactKind kind : kAllArtifactKinds) {
    EXPECT_EQ(static_cast<int>(kind), number);
    EXPECT_EQ(ParseArtifactKind(ArtifactKindName(kind)), kind);
    number += 10;
  }
  EXPECT_EQ(ParseArtifactKind("Corpus"), std::nullopt);
  EXPECT_EQ(ParseArtifactKind(""), std::nullopt);
}

TEST(ArtifactIdTest, RefusesWhatIsNoName) {
  const std::string upper = absl::StrCat("0123456789ABCDEF", Hex().substr(16));
  for (const std::string& name : std::vector<std::string>{
           "", "artifacts", "artifacts/corpus/", absl::StrCat("artifacts/corpus/", Hex().substr(1)),
           "artifacts/corpus/" + Hex() + "0", "artifacts/corpus/" + upper, "artifacts/model/" + Hex(),
           "/artifacts/corpus/" + Hex(), "artifacts/corpus/" + Hex() + "/", "jobs/corpus/" + Hex(), Hex(),
           "artifacts/corpus/../" + Hex(), std::string(1 << 20, '/')}) {
    EXPECT_THAT(ArtifactId::Parse(name), StatusIs(absl::StatusCode::kInvalidArgument)) << name.substr(0, 100);
  }
  EXPECT_THAT(ArtifactId::Parse("artifacts/corpus/xyz"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("xyz")));
}

TEST(ArtifactIdTest, OrdersByKindThenDigits) {
  const ArtifactId corpus = *ArtifactId::Create(ArtifactKind::kCorpus, Hex());
  const ArtifactId tokenizer = *ArtifactId::Create(ArtifactKind::kTokenizer, std::string(64, 'f'));
  const ArtifactId later = *ArtifactId::Create(ArtifactKind::kCorpus, absl::StrCat("1", Hex().substr(1)));
  EXPECT_LT(tokenizer, corpus);
  EXPECT_LT(corpus, later);
  EXPECT_TRUE(ArtifactId().empty());
  EXPECT_NE(ArtifactId(), corpus);
}

}  // namespace
}  // namespace clm
