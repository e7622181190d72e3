#include "core/generate/generator.h"

#include <random>

#include "tests/core/data/toy_representation.h"
#include "tests/core/generate/fake_model.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::FakeModel;
using ::clm::testing::StatusIs;
using ::clm::testing::ToyRepresentation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class GeneratorTest : public ::testing::Test {
 protected:
  static constexpr SymbolId kThe = 256;
  static constexpr SymbolId kCat = 257;
  static constexpr SymbolId kSat = 258;

  SymbolId boundary() const { return words_.layout().boundary; }

  // Generates with the pieces collected, and checks what holds for every result.
  absl::StatusOr<GenerateResult> Generate(const std::string& prompt, GenerateOptions options) {
    auto generator = *Generator::Create(model_, words_, clock_);
    pieces_.clear();
    auto result = generator.Generate(
        prompt, options,
        [this](const GeneratedPiece& piece) {
          pieces_.push_back(piece);
          return absl::OkStatus();
        },
        source_.token());
    if (result.ok()) CheckPromises(*result, options);
    return result;
  }

  void CheckPromises(const GenerateResult& result, const GenerateOptions& options) {
    std::string text;
    std::vector<SymbolId> symbols;
    for (const GeneratedPiece& piece : pieces_) {
      EXPECT_FALSE(piece.bytes.empty() && piece.symbols.empty());
      text += piece.bytes;
      symbols.insert(symbols.end(), piece.symbols.begin(), piece.symbols.end());
    }
    EXPECT_EQ(text, result.text);
    EXPECT_EQ(symbols, result.symbols);
    std::string decoded = *words_.Decode(result.symbols);
    ASSERT_GE(decoded.size(), result.cut_bytes);
    decoded.resize(decoded.size() - result.cut_bytes);
    EXPECT_EQ(decoded, result.text);
    if (result.stop_reason != StopReason::kStopString) {
      EXPECT_EQ(result.cut_bytes, 0U);
    }
    if (options.max_new_bytes != 0) {
      EXPECT_LE(result.text.size(), options.max_new_bytes);
    }
    EXPECT_LE(result.symbols.size(), options.max_new_symbols);
    for (const std::string& stop : options.stop_strings) EXPECT_EQ(result.text.find(stop), std::string::npos);
  }

  static GenerateOptions Greedy() {
    GenerateOptions options;
    options.sampling.temperature = 0;
    return options;
  }

  const ToyRepresentation words_{{"the ", "cat", " sat"}};
  FakeModel model_{words_.layout().vocab_size};
  FakeClock clock_;
  CancellationSource source_;
  std::vector<GeneratedPiece> pieces_;
};

TEST_F(GeneratorTest, AnNgramTableSpeaksUntilTheBoundary) {
  model_.Say({kThe}, kCat);
  model_.Say({kCat}, kSat);
  model_.Say({kSat}, boundary());
  ASSERT_OK_AND_ASSIGN(const GenerateResult result, Generate("the ", Greedy()));
  EXPECT_EQ(result.text, "cat sat");
  EXPECT_THAT(result.symbols, ElementsAre(kCat, kSat));
  EXPECT_EQ(result.stop_reason, StopReason::kBoundary);
  EXPECT_EQ(result.prompt_symbols, 2U);
  EXPECT_THAT(model_.fed, ElementsAre(boundary(), kThe, kCat, kSat));
  EXPECT_EQ(pieces_.size(), 2U);
}

TEST_F(GeneratorTest, AnEmptyPromptIsTheBoundaryAlone) {
  model_.Script({kCat, boundary()});
  ASSERT_OK_AND_ASSIGN(const GenerateResult result, Generate("", Greedy()));
  EXPECT_EQ(result.text, "cat");
  EXPECT_EQ(result.prompt_symbols, 1U);
  EXPECT_THAT(model_.fed, ElementsAre(boundary(), kCat));
}

TEST_F(GeneratorTest, TheSymbolLimitIsExact) {
  model_.Script({kCat, kSat, kCat, kSat, kCat});
  GenerateOptions options = Greedy();
  options.max_new_symbols = 3;
  ASSERT_OK_AND_ASSIGN(const GenerateResult result, Generate("x", options));
  EXPECT_THAT(result.symbols, ElementsAre(kCat, kSat, kCat));
  EXPECT_EQ(result.stop_reason, StopReason::kMaxSymbols);
}

TEST_F(GeneratorTest, TheByteLimitIsNeverPassedAndMissedByLessThanASymbol) {
  for (uint64_t limit = 1; limit <= 14; ++limit) {
    model_.Script({kCat, kSat, kThe, kCat, kSat});  // 3, 7, 11, 14 bytes
    GenerateOptions options = Greedy();
    options.max_new_bytes = limit;
    ASSERT_OK_AND_ASSIGN(const GenerateResult result, Generate("x", options));
    const uint64_t want = limit < 3 ? 0 : limit < 7 ? 3 : limit < 11 ? 7 : limit < 14 ? 11 : 14;
    EXPECT_EQ(result.text.size(), want) << limit;
    EXPECT_EQ(result.stop_reason, StopReason::kMaxBytes);
  }
}

TEST_F(GeneratorTest, StopStringsThatStraddleSymbolsAreNeverShown) {
  model_.Script({kCat, kSat, kThe, boundary()});  // "cat satthe "
  GenerateOptions options = Greedy();
  options.stop_strings = {"t sat"};
  ASSERT_OK_AND_ASSIGN(const GenerateResult result, Generate("", options));
  EXPECT_EQ(result.text, "ca");
  EXPECT_THAT(result.symbols, ElementsAre(kCat));
  EXPECT_EQ(result.cut_bytes, 1U);
  EXPECT_EQ(result.stop_reason, StopReason::kStopString);
  ASSERT_GE(pieces_.size(), 1U);
  EXPECT_EQ(pieces_[0].bytes, "ca");
}

TEST_F(GeneratorTest, AnAlmostStopStringIsShownAfterAll) {
  model_.Script({kCat, kSat, boundary()});
  GenerateOptions options = Greedy();
  options.stop_strings = {"t saw", "never"};
  ASSERT_OK_AND_ASSIGN(const GenerateResult result, Generate("", options));
  EXPECT_EQ(result.text, "cat sat");
  EXPECT_EQ(result.stop_reason, StopReason::kBoundary);
}

TEST_F(GeneratorTest, PiecesEndAtCharactersAndInvalidBytesPassUnchanged) {
  model_.Script({0xC3, 0xA9, 0xFF, 0xF0, 0x9F, 'a', 0xE2, 0x82});
  GenerateOptions options = Greedy();
  options.max_new_symbols = 8;
  ASSERT_OK_AND_ASSIGN(const GenerateResult result, Generate("", options));
  EXPECT_EQ(result.text,
            "\xC3\xA9\xFF\xF0\x9F"
            "a\xE2\x82");
  std::vector<std::string> bytes;
  for (const GeneratedPiece& piece : pieces_) bytes.push_back(piece.bytes);
  EXPECT_THAT(bytes, ElementsAre("\xC3\xA9", "\xFF",
                                 "\xF0\x9F"
                                 "a",
                                 "\xE2\x82"));
}

TEST_F(GeneratorTest, ABoundaryThatMayNotStopIsNeverDrawn) {
  model_.Say({boundary()}, boundary());
  GenerateOptions options;
  options.stop_at_boundary = false;
  options.max_new_symbols = 500;
  ASSERT_OK_AND_ASSIGN(const GenerateResult result, Generate("", options));
  EXPECT_EQ(result.stop_reason, StopReason::kMaxSymbols);
  EXPECT_EQ(result.symbols.size(), 500U);
}

TEST_F(GeneratorTest, SeededRunsRepeatAndSeedsDiffer) {
  GenerateOptions options;
  options.max_new_symbols = 50;
  options.sampling.seed = 4;
  ASSERT_OK_AND_ASSIGN(const GenerateResult first, Generate("the ", options));
  ASSERT_OK_AND_ASSIGN(const GenerateResult again, Generate("the ", options));
  options.sampling.seed = 5;
  ASSERT_OK_AND_ASSIGN(const GenerateResult other, Generate("the ", options));
  EXPECT_EQ(first.symbols, again.symbols);
  EXPECT_NE(first.symbols, other.symbols);
  EXPECT_EQ(model_.resets, 3);
}

TEST_F(GeneratorTest, PromisesHoldForRandomTextsAndLimits) {
  std::mt19937 rng(20260305);
  for (int round = 0; round < 300; ++round) {
    std::vector<SymbolId> script(20);
    const std::vector<SymbolId> choice = {'a', 't', ' ', kThe, kCat, kSat, 0xC3, 0xA9, 0xFF};
    for (SymbolId& symbol : script) symbol = choice[rng() % choice.size()];
    script.push_back(boundary());
    model_.Script(script);
    GenerateOptions options = Greedy();
    options.max_new_symbols = rng() % 25 + 1;
    options.max_new_bytes = rng() % 40;
    if (rng() % 2 == 0) options.stop_strings = {"tt", "at the", "\xA9"};
    ASSERT_OK_AND_ASSIGN(const GenerateResult result, Generate("cat", options));
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
}

TEST_F(GeneratorTest, ARefusedPieceEndsTheGeneration) {
  model_.Script({kCat, kSat, kThe});
  auto generator = *Generator::Create(model_, words_, clock_);
  int pieces = 0;
  const auto result = generator.Generate("x", Greedy(), [&pieces](const GeneratedPiece&) {
    return ++pieces < 2 ? absl::OkStatus() : absl::UnavailableError("the reader left");
  });
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("the reader left")));
  EXPECT_EQ(pieces, 2);
}

TEST_F(GeneratorTest, CancellingEndsTheGeneration) {
  source_.Cancel();
  EXPECT_THAT(Generate("x", Greedy()), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(GeneratorTest, LongPromptsAreFedInParts) {
  GenerateOptions options = Greedy();
  options.max_new_symbols = 1;
  ASSERT_OK(Generate(std::string(10'000, 'x'), options));
  EXPECT_EQ(model_.fed.size(), 10'001U);
  EXPECT_EQ(model_.largest_feed, 2'048U);
}

TEST_F(GeneratorTest, TimesAreReportedApart) {
  auto generator = *Generator::Create(model_, words_, clock_);
  GenerateOptions options = Greedy();
  options.max_new_symbols = 2;
  int prefills = 0;
  const auto result = generator.Generate(
      "x", options,
      [this](const GeneratedPiece&) {
        clock_.Advance(absl::Seconds(3));
        return absl::OkStatus();
      },
      {},
      [&] {
        ++prefills;
        clock_.Advance(absl::Seconds(100));
      });
  ASSERT_OK(result);
  EXPECT_EQ(prefills, 1);
  EXPECT_EQ(result->prefill_seconds, 0);
  EXPECT_EQ(result->seconds, 106);
}

TEST_F(GeneratorTest, WhatIsOutOfRangeIsNamed) {
  const auto invalid = [](const char* text) { return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(text)); };
  GenerateOptions options;
  options.max_new_symbols = 0;
  EXPECT_THAT(Generate("", options), invalid("max_new_symbols is 0"));
  options.max_new_symbols = GenerateOptions::kMaxNewSymbols + 1;
  EXPECT_THAT(Generate("", options), invalid("max_new_symbols"));
  options = {};
  options.stop_strings = {"a", ""};
  EXPECT_THAT(Generate("", options), invalid("stop_strings[1] has 0 bytes"));
  options.stop_strings = {std::string(257, 'x')};
  EXPECT_THAT(Generate("", options), invalid("257 bytes"));
  options.stop_strings = std::vector<std::string>(17, "x");
  EXPECT_THAT(Generate("", options), invalid("17 entries"));
  options = {};
  options.sampling.top_p = 2;
  EXPECT_THAT(Generate("", options), invalid("top_p"));
  EXPECT_THAT(Generate(std::string(GenerateOptions::kMaxPromptBytes + 1, 'x'), {}), invalid("the prompt has"));
  FakeModel other(5);
  EXPECT_THAT(Generator::Create(other, words_).status(), invalid("vocabulary of 5"));
}

TEST_F(GeneratorTest, ABrokenModelIsAnInternalError) {
  model_.broken = true;
  EXPECT_THAT(Generate("x", {}), StatusIs(absl::StatusCode::kInternal, HasSubstr("symbol 3")));
}

TEST(StopReasonTest, ReasonsHaveNames) {
  EXPECT_EQ(StopReasonName(StopReason::kBoundary), "boundary");
  EXPECT_EQ(StopReasonName(StopReason::kMaxSymbols), "max_new_symbols");
  EXPECT_EQ(StopReasonName(StopReason::kMaxBytes), "max_new_bytes");
  EXPECT_EQ(StopReasonName(StopReason::kStopString), "stop_string");
}

}  // namespace
}  // namespace clm
