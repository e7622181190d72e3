#include "core/representation/pretoken_encoder.h"

#include <algorithm>

#include "core/base/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/representation/representation_testing.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::SmallCorpus;
using ::clm::testing::SmallTokenizer;
using ::clm::testing::StatusIs;

// The definition: a symbol starts a pretoken if the pre-tokenizer ends a piece where it begins.
std::vector<uint8_t> StartsReference(const Tokenizer& tokenizer, absl::string_view document,
                                     const std::vector<SymbolId>& ids) {
  std::vector<uint32_t> ends = {0};
  tokenizer.pretokenizer().Split(document, /*is_end=*/true, ends);
  std::vector<uint8_t> starts;
  size_t position = 0;
  for (const SymbolId id : ids) {
    starts.push_back(std::find(ends.begin(), ends.end(), position) != ends.end() ? 1 : 0);
    position += tokenizer.vocab().TokenBytes(id).size();
  }
  return starts;
}

TEST(PretokenEncoderTest, GivesTheTokenizersIdsAndTheStartsOfPieces) {
  const auto tokenizer = SmallTokenizer();
  PretokenEncoder encoder(*tokenizer);
  for (const std::string& document : SmallCorpus()) {
    PretokenizedIds got;
    ASSERT_OK(encoder.Encode(document, got));
    ASSERT_OK_AND_ASSIGN(const auto ids, tokenizer->Encode(document));
    ASSERT_EQ(got.ids, ids);
    ASSERT_EQ(got.starts, StartsReference(*tokenizer, document, ids));
  }
}

TEST(PretokenEncoderTest, CutsDoNotChangeIdsOrStarts) {
  const auto tokenizer = SmallTokenizer();
  PretokenEncoder encoder(*tokenizer);
  const std::string document = SmallCorpus()[3];
  PretokenizedIds want;
  ASSERT_OK(encoder.Encode(document, want));
  for (size_t cut = 0; cut <= document.size(); ++cut) {
    PretokenizedIds got;
    ASSERT_OK(encoder.Push(absl::string_view(document).substr(0, cut), got));
    ASSERT_OK(encoder.Push(absl::string_view(document).substr(cut), got));
    ASSERT_OK(encoder.Finish(got));
    ASSERT_EQ(got.ids, want.ids) << "cut " << cut;
    ASSERT_EQ(got.starts, want.starts) << "cut " << cut;
  }
}

TEST(PretokenEncoderTest, ManySmallPiecesOfALongDocumentGiveTheSame) {
  const auto tokenizer = SmallTokenizer();
  PretokenEncoder encoder(*tokenizer);
  std::string document;
  for (int i = 0; i < 200; ++i) document += SmallCorpus()[static_cast<size_t>(i) % 24];
  document += std::string(200'000, 'a');  // one pretoken, longer than the window
  PretokenizedIds want;
  ASSERT_OK(encoder.Encode(document, want));
  EXPECT_EQ(want.ids, tokenizer->Encode(document).value());
  CounterRng rng(1, "cuts", 0);
  PretokenizedIds got;
  for (size_t begin = 0; begin < document.size();) {
    const size_t length = 1 + rng.NextBelow(3000);
    ASSERT_OK(encoder.Push(absl::string_view(document).substr(begin, length), got));
    begin += length;
  }
  ASSERT_OK(encoder.Finish(got));
  EXPECT_EQ(got.ids, want.ids);
  EXPECT_EQ(got.starts, want.starts);
}

TEST(PretokenEncoderTest, PretokensOverTheLimitAreRefused) {
  const auto tokenizer = SmallTokenizer();
  PretokenEncoder encoder(*tokenizer, {.max_piece_bytes = 1024});
  PretokenizedIds out;
  EXPECT_OK(encoder.Encode(std::string(1024, 'a'), out));
  EXPECT_THAT(encoder.Encode(std::string(1025, 'a'), out), StatusIs(absl::StatusCode::kResourceExhausted));
  // Pieces that never end are refused while they arrive, not when memory is gone.
  absl::Status status;
  for (int i = 0; i < 100 && status.ok(); ++i) status = encoder.Push(std::string(4096, 'a'), out);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
  encoder.Reset();
  out.Clear();
  EXPECT_OK(encoder.Push("ab", out));
  EXPECT_OK(encoder.Finish(out));
  EXPECT_EQ(out.starts.size(), out.ids.size());
}

}  // namespace
}  // namespace clm
