#include "core/predict/count_predictor.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;

constexpr CountModelOptions kSmall = {.precision_bits = 16, .contexts_log2 = 10, .history_log2 = 12};

std::vector<uint32_t> Frequencies(SymbolPredictor& predictor, size_t lane) {
  std::vector<uint32_t> frequencies(predictor.vocab_size());
  predictor.Frequencies(lane, frequencies);
  return frequencies;
}

TEST(CountPredictorTest, LanesAreIndependent) {
  ASSERT_OK_AND_ASSIGN(const auto predictor, CountPredictor::Create(kSmall, 2));
  const std::vector<uint32_t> fresh = Frequencies(*predictor, 1);
  for (int i = 0; i < 20; ++i) predictor->Update(0, 'a');
  EXPECT_EQ(Frequencies(*predictor, 1), fresh);
  EXPECT_GT(Frequencies(*predictor, 0)['a'], 60000u);
  predictor->Reset(0);
  EXPECT_EQ(Frequencies(*predictor, 0), fresh);
}

TEST(CountPredictorTest, CloneContinuesOnItsOwn) {
  ASSERT_OK_AND_ASSIGN(const auto predictor, CountPredictor::Create(kSmall, 1));
  for (char c : {'a', 'b', 'a', 'b'}) predictor->Update(0, static_cast<SymbolId>(c));
  const std::unique_ptr<SymbolPredictor> clone = predictor->Clone();
  const std::vector<uint32_t> before = Frequencies(*predictor, 0);
  EXPECT_EQ(Frequencies(*clone, 0), before);
  clone->Update(0, 'z');
  EXPECT_EQ(Frequencies(*predictor, 0), before);
  EXPECT_EQ(clone->fingerprint(), predictor->fingerprint());
}

TEST(CountPredictorTest, RefusesNoLanesAndBadOptions) {
  EXPECT_THAT(CountPredictor::Create(kSmall, 0), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(CountPredictor::Create({.precision_bits = 3}, 1), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace clm
