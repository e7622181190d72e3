#include "core/representation/coordinate.h"

#include <thread>

#include "core/coordinate/fold_reference.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/representation/representation_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::SmallCorpus;
using ::clm::testing::SmallTables;
using ::clm::testing::SmallTokenizer;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

std::unique_ptr<CoordinateRepresentation> Make(absl::string_view preset) {
  const RepresentationTables tables = SmallTables(preset);
  return CoordinateRepresentation::Create(tables.tokenizer, *tables.universe, tables.universe_tokenizer).value();
}

TEST(CoordinateRepresentationTest, SymbolsAreFoldedTokens) {
  for (const char* preset : {"pairs", "w", "ws"}) {
    const auto coordinate = Make(preset);
    PretokenEncoder encoder(coordinate->tokenizer());
    for (const std::string& document : SmallCorpus()) {
      PretokenizedIds base;
      ASSERT_OK(encoder.Encode(document, base));
      ASSERT_OK_AND_ASSIGN(const auto symbols, coordinate->Encode(document));
      ASSERT_EQ(symbols, FoldReference(coordinate->universe(), base.ids, base.starts)) << preset;
      ASSERT_LT(symbols.size(), base.ids.size()) << preset;
    }
  }
}

TEST(CoordinateRepresentationTest, WordUniversesKeepTheirSymbolsInsidePretokens) {
  const auto coordinate = Make("w");
  for (SymbolId id = coordinate->universe().base_size(); id < coordinate->layout().vocab_size; ++id) {
    const absl::string_view bytes = coordinate->SymbolBytes(id);
    const size_t space = bytes.find(' ', 1);
    const bool is_white = bytes.find_first_not_of(" \n") == absl::string_view::npos;
    EXPECT_TRUE(space == absl::string_view::npos || is_white) << "'" << bytes << "'";
  }
}

TEST(CoordinateRepresentationTest, LayoutHasARangeForEachLayer) {
  const auto coordinate = Make("pairs");
  const VocabLayout& layout = coordinate->layout();
  ASSERT_OK(layout.Validate());
  EXPECT_EQ(layout.boundary, coordinate->tokenizer().boundary());
  ASSERT_EQ(layout.ranges.size(), 5U);  // byte, token, special, two layers
  EXPECT_EQ(layout.ranges[3].meaning, "coordinate_layer_1");
  EXPECT_EQ(layout.ranges[3].begin, coordinate->tokenizer().vocab_size());
  EXPECT_EQ(layout.ranges[4].meaning, "coordinate_layer_2");
}

// Acceptance check 19: tables that do not belong together are refused before anything is encoded.
TEST(CoordinateRepresentationTest, TablesThatDoNotBelongTogetherAreRefused) {
  constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;
  const RepresentationTables tables = SmallTables("pairs");
  const std::string& fingerprint = tables.universe_tokenizer;
  EXPECT_THAT(CoordinateRepresentation::Create(SmallTokenizer(319), *tables.universe, fingerprint),
              StatusIs(kPrecondition, HasSubstr("learned with tokenizer")));
  EXPECT_THAT(CoordinateRepresentation::Create(tables.tokenizer, *tables.universe, ""),
              StatusIs(kPrecondition, HasSubstr("learned with tokenizer ''")));
  const SymbolId boundary = tables.tokenizer->boundary();
  EXPECT_THAT(CoordinateRepresentation::Create(tables.tokenizer, Universe::Create(300, {}, {}).value(), fingerprint),
              StatusIs(kPrecondition, HasSubstr("has 300 base symbols, the tokenizer 320")));
  EXPECT_THAT(CoordinateRepresentation::Create(tables.tokenizer, Universe::Create(320, {boundary - 1}, {}).value(),
                                               fingerprint),
              StatusIs(kPrecondition, HasSubstr("is no boundary of the universe")));
  EXPECT_OK(
      CoordinateRepresentation::Create(tables.tokenizer, Universe::Create(320, {boundary}, {}).value(), fingerprint));
}

TEST(CoordinateRepresentationTest, FingerprintFollowsTheUniverse) {
  const std::string pairs = Make("pairs")->fingerprint();
  EXPECT_EQ(pairs, Make("pairs")->fingerprint());
  EXPECT_NE(pairs, Make("w")->fingerprint());
}

TEST(CoordinateRepresentationTest, ManyThreadsMayEncodeAtOnce) {
  const auto coordinate = Make("ws");
  const std::vector<std::string> documents = SmallCorpus();
  std::vector<std::vector<SymbolId>> want;
  for (const std::string& document : documents) want.push_back(coordinate->Encode(document).value());
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (size_t d = 0; d < documents.size(); ++d) wrong[t] += coordinate->Encode(documents[d]).value() != want[d];
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ::testing::Each(0));
}

}  // namespace
}  // namespace clm
