#include "core/pipeline/prepare.h"

#include "core/data/prepared_corpus.h"
#include "tests/core/pipeline/pipeline_fixture.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class PrepareTest : public PipelineTest {
 protected:
  PrepareOptions Options(const std::string& text) {
    PrepareOptions options;
    options.inputs = {WriteInput("corpus.jsonl", text)};
    options.vocab_size = 320;
    options.universe.layers = 2;
    options.universe.nodes_per_layer = 40;
    return options;
  }

  size_t Artifacts() {
    const auto page = store_->List({});
    EXPECT_TRUE(page.ok());
    return page->artifacts.size();
  }
};

TEST_F(PrepareTest, LeavesTokenizerUniverseAndCorpus) {
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome outcome, RunPrepare(Options(Sentences()), Context()));
  EXPECT_EQ(Artifacts(), 3u);
  ASSERT_OK_AND_ASSIGN(const PreparedCorpus corpus,
                       PreparedCorpus::Open(PosixFileSystem(), store_->Folder(outcome.corpus)));
  EXPECT_THAT(corpus.Kinds(), UnorderedElementsAre("coordinate", "token"));
  EXPECT_TRUE(corpus.report().round_trip_verified);
  for (const std::string kind : {"token", "coordinate"}) {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<IdStream> stream, corpus.OpenStream(Split::kBuild, kind));
    EXPECT_EQ(stream->vocab_size(), outcome.vocab_sizes.at(kind));
  }
  const PrepareSplitReport& build = corpus.report().split(Split::kBuild);
  EXPECT_LT(build.symbols.at("coordinate"), build.symbols.at("token"));
  ASSERT_OK_AND_ASSIGN(const auto manifest, store_->Get(outcome.corpus));
  EXPECT_THAT(manifest->parents, UnorderedElementsAre(outcome.tokenizer, outcome.universe));
  EXPECT_THAT(phases_, Contains("read"));
  EXPECT_THAT(phases_, Contains("encode"));
}

TEST_F(PrepareTest, TheSameAgainWritesNothingNew) {
  const PrepareOptions options = Options(Sentences());
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome first, RunPrepare(options, Context("one")));
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome second, RunPrepare(options, Context("two")));
  EXPECT_EQ(first.corpus, second.corpus);
  EXPECT_EQ(Artifacts(), 3u);
}

// A second attempt takes over what the first one left, and comes to the same artifacts.
TEST_F(PrepareTest, AnInterruptedRunEndsAsIfItHadNotBeen) {
  const PrepareOptions options = Options(Sentences());
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome whole, RunPrepare(options, Context("whole")));
  PipelineContext context = Context("interrupted");
  int reports = 0;
  context.progress = [&](const Progress& progress) {
    if (progress.phase == "learn_universe" && ++reports == 1) cancel_.Cancel();
  };
  EXPECT_THAT(RunPrepare(options, context), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(Artifacts(), 3u);
  cancel_ = CancellationSource();
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome resumed, RunPrepare(options, Context("interrupted")));
  EXPECT_EQ(resumed.corpus, whole.corpus);
  EXPECT_EQ(resumed.universe, whole.universe);
}

TEST_F(PrepareTest, OtherOptionsGiveAnotherCorpusInTheSameWorkFolder) {
  PrepareOptions options = Options(Sentences());
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome first, RunPrepare(options, Context()));
  options.universe.nodes_per_layer = 10;
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome second, RunPrepare(options, Context()));
  EXPECT_EQ(first.tokenizer, second.tokenizer);
  EXPECT_NE(first.universe, second.universe);
  EXPECT_NE(first.corpus, second.corpus);
}

// Validation text decides neither tokenizer nor universe.
TEST_F(PrepareTest, ChangedValidationTextLeavesTheTablesAlone) {
  const std::string text = Sentences();
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome first, RunPrepare(Options(text), Context("one")));
  // Adds documents until one of them belongs to validation alone.
  SplitOptions split;
  std::string extra;
  for (int i = 0; extra.empty(); ++i) {
    const std::string candidate = absl::StrCat("a new document ", i);
    if (SplitOf(DocumentHash(candidate), split) == Split::kValidation) extra = candidate;
  }
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome second,
                       RunPrepare(Options(absl::StrCat(text, "{\"text\": \"", extra, "\"}\n")), Context("two")));
  EXPECT_EQ(first.tokenizer, second.tokenizer);
  EXPECT_EQ(first.universe, second.universe);
  EXPECT_NE(first.corpus, second.corpus);
}

TEST_F(PrepareTest, NoDocumentsLeaveNothing) {
  EXPECT_THAT(RunPrepare(Options(""), Context()), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(Artifacts(), 0u);
}

TEST_F(PrepareTest, BadLinesAreCountedAndShown) {
  PrepareOptions options = Options("not json\n" + Sentences());
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome outcome, RunPrepare(options, Context()));
  EXPECT_EQ(outcome.report.bad_lines, 1u);
  ASSERT_EQ(outcome.bad_line_examples.size(), 1u);
  EXPECT_THAT(outcome.bad_line_examples[0], HasSubstr("corpus.jsonl:1:"));
  options.reader.max_bad_lines = 0;
  EXPECT_THAT(RunPrepare(options, Context("strict")), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(PrepareTest, AGivenTokenizerIsUsedAsItIs) {
  PrepareOptions options = Options(Sentences());
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome first, RunPrepare(options, Context("one")));
  options.tokenizer = first.tokenizer;
  options.universe.layers = 0;
  options.representations = {"byte", "token"};
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome second, RunPrepare(options, Context("two")));
  EXPECT_EQ(second.tokenizer, first.tokenizer);
  EXPECT_TRUE(second.universe.empty());
  EXPECT_EQ(second.vocab_sizes.at("byte"), 257u);
}

TEST_F(PrepareTest, CoordinatesNeedAUniverse) {
  PrepareOptions options = Options(Sentences());
  options.universe.layers = 0;
  EXPECT_THAT(RunPrepare(options, Context()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("universe.layers")));
}

}  // namespace
}  // namespace clm
