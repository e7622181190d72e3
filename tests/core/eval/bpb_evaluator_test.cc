#include "core/eval/bpb_evaluator.h"

#include <cmath>
#include <functional>
#include <limits>

#include "core/base/units.h"
#include "tests/core/data/toy_representation.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::clm::testing::ToyRepresentation;
using ::testing::HasSubstr;

// Costs depend on a symbol and the one before it, the boundary before the first: an obvious bigram model.
class BigramScorer final : public SequenceScorer {
 public:
  explicit BigramScorer(const Representation& representation) : layout_(representation.layout()) {}
  uint32_t vocab_size() const override { return layout_.vocab_size; }
  std::string description() const override { return "bigram"; }
  absl::StatusOr<std::vector<ScoredDocument>> Score(std::span<const std::vector<SymbolId>> documents,
                                                    const CancellationToken&) override {
    ++calls;
    std::vector<ScoredDocument> scores;
    uint64_t symbols = 0;
    for (const auto& document : documents) {
      ScoredDocument score;
      SymbolId previous = layout_.boundary;
      for (const SymbolId symbol : document) {
        score.nats += 0.5 + std::fmod(0.618 * previous + 0.414 * symbol, 3.0);
        ++score.symbols;
        previous = symbol;
      }
      symbols += score.symbols;
      if (change) change(score);
      scores.push_back(score);
    }
    largest_call = std::max(largest_call, symbols);
    if (clock != nullptr) clock->Advance(absl::Seconds(1));
    return scores;
  }

  int calls = 0;
  uint64_t largest_call = 0;
  FakeClock* clock = nullptr;
  std::function<void(ScoredDocument&)> change;

 private:
  const VocabLayout layout_;
};

class BpbEvaluatorTest : public ::testing::Test {
 protected:
  absl::StatusOr<BpbResult> Evaluate(SequenceScorer& scorer, const EvaluateBpbOptions& options = {},
                                     const EvaluationContext& context = {}) {
    return EvaluateBpb(scorer, words_, EncodedDocuments(documents_, words_), options, context);
  }

  const ToyRepresentation bytes_{{}};
  const ToyRepresentation words_{{"the ", "cat", " sat"}};
  std::vector<std::string> documents_ = {"the cat sat", "", "cat", "\xFF\xFE", std::string(300, 'x'), "the the the "};
};

TEST_F(BpbEvaluatorTest, UniformModelCostsSymbolsPerByteTimesLog2OfTheVocabulary) {
  for (const ToyRepresentation* arm : {&bytes_, &words_}) {
    const EncodedDocuments documents(documents_, *arm);
    UniformScorer scorer(arm->layout().vocab_size);
    ASSERT_OK_AND_ASSIGN(const BpbResult result, EvaluateBpb(scorer, *arm, documents, {}));
    uint64_t symbols = 0;
    for (const std::string& document : documents_) symbols += arm->Encode(document)->size() + 1;
    EXPECT_EQ(result.symbols, symbols);
    EXPECT_EQ(result.original_bytes, 11U + 0 + 3 + 2 + 300 + 12);
    EXPECT_EQ(result.documents, 6U);
    const double want = static_cast<double>(symbols) / 328 * std::log2(arm->layout().vocab_size);
    EXPECT_NEAR(result.bits_per_byte, want, 1e-9);
    EXPECT_NEAR(result.symbols_per_byte, static_cast<double>(symbols) / 328, 1e-12);
  }
}

TEST_F(BpbEvaluatorTest, GroupingNeverChangesTheResult) {
  BigramScorer scorer(words_);
  ASSERT_OK_AND_ASSIGN(const BpbResult want, Evaluate(scorer));
  EXPECT_EQ(scorer.calls, 1);
  for (const uint64_t documents : std::initializer_list<uint64_t>{1, 2, 7, 64}) {
    for (const uint64_t symbols : std::initializer_list<uint64_t>{1, 10, 100'000}) {
      ASSERT_OK_AND_ASSIGN(const BpbResult result,
                           Evaluate(scorer, {.max_symbols_per_call = symbols, .max_documents_per_call = documents}));
      EXPECT_EQ(result.document_nats, want.document_nats);
      EXPECT_EQ(result.bits_per_byte, want.bits_per_byte);
      EXPECT_EQ(result.interval.low, want.interval.low);
    }
  }
}

TEST_F(BpbEvaluatorTest, GroupsStayWithinTheirLimits) {
  documents_.assign(100, "abcdefg");  // 8 symbols each
  BigramScorer scorer(words_);
  ASSERT_OK(Evaluate(scorer, {.max_symbols_per_call = 20}));
  EXPECT_EQ(scorer.largest_call, 16U);
  EXPECT_EQ(scorer.calls, 50);
}

TEST_F(BpbEvaluatorTest, ADocumentWithoutBytesAddsItsBoundaryAndNoBytes) {
  BigramScorer scorer(words_);
  ASSERT_OK_AND_ASSIGN(const BpbResult with, Evaluate(scorer));
  documents_.erase(documents_.begin() + 1);
  ASSERT_OK_AND_ASSIGN(const BpbResult without, Evaluate(scorer));
  EXPECT_EQ(with.original_bytes, without.original_bytes);
  EXPECT_EQ(with.symbols, without.symbols + 1);
  EXPECT_NEAR(with.nats, without.nats + with.document_nats[1], 1e-9);
  EXPECT_GT(with.document_nats[1], 0);
}

TEST_F(BpbEvaluatorTest, TheIntervalHoldsTheValue) {
  BigramScorer scorer(words_);
  ASSERT_OK_AND_ASSIGN(const BpbResult result, Evaluate(scorer));
  EXPECT_TRUE(result.interval.Contains(result.bits_per_byte));
  EXPECT_LT(result.interval.low, result.interval.high);
}

TEST_F(BpbEvaluatorTest, AStreamAndItsDocumentsGiveTheSameResult) {
  testing::TemporaryDirectory directory;
  const std::string path = directory.File("validation.toy.ids");
  ASSERT_OK_AND_ASSIGN(const auto writer, IdStreamWriter::Create(PosixFileSystem(), path,
                                                                 {.vocab_size = words_.layout().vocab_size,
                                                                  .boundary = words_.layout().boundary}));
  for (const std::string& document : documents_) {
    ASSERT_OK(writer->AppendDocument(*words_.Encode(document), document.size()));
  }
  ASSERT_OK(writer->Finish());
  ASSERT_OK_AND_ASSIGN(const auto stream, IdStream::Open(PosixFileSystem(), path));
  BigramScorer scorer(words_);
  ASSERT_OK_AND_ASSIGN(const BpbResult from_stream, EvaluateBpb(scorer, words_, IdStreamDocuments(*stream), {}));
  ASSERT_OK_AND_ASSIGN(const BpbResult from_bytes, Evaluate(scorer));
  EXPECT_EQ(from_stream.document_nats, from_bytes.document_nats);
  EXPECT_EQ(from_stream.document_bytes, from_bytes.document_bytes);
}

TEST_F(BpbEvaluatorTest, WhatHasNoBitsPerByteIsRefused) {
  BigramScorer scorer(words_);
  const ToyRepresentation lossy({"the ", "cat", " sat"}, /*is_lossless=*/false);
  EXPECT_THAT(EvaluateBpb(scorer, lossy, EncodedDocuments(documents_, lossy), {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("lossy")));
  EXPECT_THAT(EvaluateBpb(scorer, bytes_, EncodedDocuments(documents_, bytes_), {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("vocabulary of 260")));
  documents_ = {"", ""};
  EXPECT_THAT(Evaluate(scorer), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no bytes")));
  documents_ = {};
  EXPECT_THAT(Evaluate(scorer), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no documents")));
}

TEST_F(BpbEvaluatorTest, AScorerThatCheatsIsNoticed) {
  const auto internal = [](const char* text) { return StatusIs(absl::StatusCode::kInternal, HasSubstr(text)); };
  BigramScorer scorer(words_);
  scorer.change = [](ScoredDocument& score) { --score.symbols; };
  EXPECT_THAT(Evaluate(scorer), internal("document 0: the scorer counted 3 symbols of 4"));
  scorer.change = [](ScoredDocument& score) { score.nats = std::numeric_limits<double>::quiet_NaN(); };
  EXPECT_THAT(Evaluate(scorer), internal("nan"));
  scorer.change = [](ScoredDocument& score) { score.nats = -1; };
  EXPECT_THAT(Evaluate(scorer), internal("-1"));
}

TEST_F(BpbEvaluatorTest, TimeAndProgressAreReported) {
  FakeClock clock;
  BigramScorer scorer(words_);
  scorer.clock = &clock;
  std::vector<Progress> seen;
  const EvaluationContext context{.clock = clock, .progress = [&seen](const Progress& p) { seen.push_back(p); }};
  ASSERT_OK_AND_ASSIGN(const BpbResult result, Evaluate(scorer, {.max_documents_per_call = 3}, context));
  EXPECT_EQ(result.seconds, 2);
  EXPECT_EQ(result.bytes_per_second, 164);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].done_units, 14U);
  EXPECT_EQ(seen[0].total_units, 328U);
  EXPECT_EQ(seen[1].done_units, 328U);
  ASSERT_EQ(seen[1].metrics.size(), 1U);
  EXPECT_EQ(seen[1].metrics[0].value, result.bits_per_byte);
}

TEST_F(BpbEvaluatorTest, CancellingEndsTheEvaluation) {
  CancellationSource source;
  BigramScorer scorer(words_);
  const EvaluationContext context{.cancel = source.token(),
                                  .progress = [&source](const Progress&) { source.Cancel(); }};
  EXPECT_THAT(Evaluate(scorer, {.max_documents_per_call = 1}, context), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(scorer.calls, 1);
}

TEST_F(BpbEvaluatorTest, OptionsOutOfRangeAreNamed) {
  BigramScorer scorer(words_);
  EXPECT_THAT(Evaluate(scorer, {.max_symbols_per_call = 0}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("max_symbols_per_call")));
  EXPECT_THAT(Evaluate(scorer, {.max_documents_per_call = 0}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("max_documents_per_call")));
}

}  // namespace
}  // namespace clm
