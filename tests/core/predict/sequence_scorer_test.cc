#include "core/predict/sequence_scorer.h"

#include <cmath>
#include <vector>

#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

TEST(UniformScorerTest, EverySymbolCostsTheLogarithmOfTheVocabulary) {
  UniformScorer scorer(257);
  const std::vector<std::vector<SymbolId>> documents = {{256}, {}, {1, 2, 3, 256}};
  ASSERT_OK_AND_ASSIGN(const std::vector<ScoredDocument> scores, scorer.Score(documents, {}));
  ASSERT_EQ(scores.size(), 3u);
  EXPECT_DOUBLE_EQ(scores[0].nats, std::log(257.0));
  EXPECT_EQ(scores[1].symbols, 0u);
  EXPECT_DOUBLE_EQ(scores[2].nats, 4 * std::log(257.0));
  EXPECT_EQ(scores[2].symbols, 4u);
}

TEST(UniformScorerTest, NamesAnUnknownSymbolAndStopsWhenCancelled) {
  UniformScorer scorer(10);
  const std::vector<std::vector<SymbolId>> documents = {{1}, {2, 10}};
  EXPECT_THAT(scorer.Score(documents, {}),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("document 1 position 1: symbol 10, vocabulary 10")));
  CancellationSource source;
  source.Cancel();
  EXPECT_THAT(scorer.Score(documents, source.token()), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace clm
