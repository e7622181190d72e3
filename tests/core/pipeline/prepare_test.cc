#include "core/pipeline/prepare.h"

#include "absl/strings/escaping.h"
#include "core/data/prepared_corpus.h"
#include "core/tokenizer/bpe_trainer.h"
#include "core/tokenizer/tokenizer_file.h"
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

  // A blob of one file.
  ArtifactId Blob(const std::string& content) {
    absl::StatusOr<ArtifactDraft> draft = store_->NewDraft(ArtifactKind::kBlob);
    EXPECT_THAT(draft, IsOk());
    EXPECT_THAT(draft->WriteFile("data", content), IsOk());
    absl::StatusOr<ArtifactId> id = draft->Commit({});
    EXPECT_THAT(id, IsOk());
    return *id;
  }

  std::string TokenizerJson(const ArtifactId& tokenizer) {
    const auto path = store_->Path(tokenizer, "tokenizer.json");
    EXPECT_THAT(path, IsOk());
    const auto json = ReadFile(PosixFileSystem(), *path, kMaxTokenizerFileBytes);
    EXPECT_THAT(json, IsOk());
    return *json;
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

// Tokens over several words; everything that is made on them comes back as it was.
TEST_F(PrepareTest, SuperwordsAreLearnedAndUsed) {
  PrepareOptions options = Options(Sentences());
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome words, RunPrepare(options, Context("words")));
  options.superword_from = 280;
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome superwords, RunPrepare(options, Context("words")));
  EXPECT_NE(words.tokenizer, superwords.tokenizer) << "not what an attempt with other options left";
  EXPECT_THAT(TokenizerJson(superwords.tokenizer), HasSubstr("\"superwords\":{\"chunk_bytes\":512"));
  EXPECT_TRUE(superwords.report.round_trip_verified);
  EXPECT_GT(superwords.vocab_sizes.at("token"), 281U) << "bytes, merges inside words, the boundary, and more";
  options.superword_from = 320;
  EXPECT_THAT(RunPrepare(options, Context("words")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("superword_from is 320")));
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

TEST_F(PrepareTest, ALimitOnMemoryChangesNothing) {
  PrepareOptions options = Options(Sentences());
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome free, RunPrepare(options, Context("free")));
  options.memory_limit_bytes = BpeTrainerOptions::kLeastMemory + (uint64_t{1} << 20);
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome limited, RunPrepare(options, Context("limited")));
  EXPECT_EQ(free.corpus, limited.corpus);
  options.memory_limit_bytes = 1;
  EXPECT_THAT(RunPrepare(options, Context("one")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("memory_limit_bytes")));
}

TEST_F(PrepareTest, AnExtendedUniverseKeepsItsTokenizerAndItsLayers) {
  PrepareOptions options = Options(Sentences());
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome first, RunPrepare(options, Context()));
  options.tokenizer = first.tokenizer;
  options.extended_universe = first.universe;
  options.universe.layers = 1;
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome second, RunPrepare(options, Context()));
  EXPECT_EQ(second.tokenizer, first.tokenizer);
  EXPECT_NE(second.universe, first.universe);
  ASSERT_EQ(second.report.layers.size(), first.report.layers.size() + 1);
  for (size_t layer = 0; layer < first.report.layers.size(); ++layer) {
    EXPECT_EQ(second.report.layers[layer].definitions, first.report.layers[layer].definitions);
  }
  EXPECT_GT(second.vocab_sizes.at("coordinate"), first.vocab_sizes.at("coordinate"));

  options.tokenizer = {};  // learned anew, of another size
  options.vocab_size = 300;
  EXPECT_THAT(RunPrepare(options, Context()), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("fingerprint")));
}

TEST_F(PrepareTest, AForeignTokenizerFileBecomesATokenizer) {
  PrepareOptions options = Options(Sentences());
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome own, RunPrepare(options, Context()));
  options.tokenizer = Blob("\n " + TokenizerJson(own.tokenizer));
  ASSERT_OK_AND_ASSIGN(const PrepareOutcome foreign, RunPrepare(options, Context()));
  EXPECT_EQ(foreign.tokenizer, own.tokenizer);
  EXPECT_EQ(foreign.corpus, own.corpus);
}

TEST_F(PrepareTest, ARankFileNeedsToBeToldItsEncoding) {
  std::string ranks;
  for (int byte = 0; byte < 256; ++byte) {
    absl::StrAppend(&ranks, absl::Base64Escape(std::string(1, static_cast<char>(byte))), " ", byte, "\n");
  }
  absl::StrAppend(&ranks, absl::Base64Escape("th"), " 256\n", absl::Base64Escape("the"), " 257\n");
  PrepareOptions options = Options(Sentences());
  options.tokenizer = Blob(ranks);
  EXPECT_THAT(RunPrepare(options, Context()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tokenizer.encoding")));
  options.rank_file_encoding = "gpt2";  // which has 50,256 tokens
  EXPECT_THAT(RunPrepare(options, Context()), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("rank file")));
  EXPECT_EQ(Artifacts(), 1u);
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
