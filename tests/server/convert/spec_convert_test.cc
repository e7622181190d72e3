#include "server/convert/spec_convert.h"

#include "core/text/pretokenizer.h"
#include "tests/core/pipeline/pipeline_fixture.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SpecConvertTest : public PipelineTest {
 protected:
  std::string Commit(ArtifactKind kind) {
    auto draft = store_->NewDraft(kind);
    EXPECT_TRUE(draft.ok());
    EXPECT_OK(draft->WriteFile("data.txt", ArtifactKindName(kind)));
    const auto id = draft->Commit({});
    EXPECT_TRUE(id.ok()) << id.status();
    return id->Name();
  }
};

TEST_F(SpecConvertTest, PrepareDefaultsAreThoseOfTheContract) {
  v1::PrepareSpec spec;
  spec.mutable_source()->add_artifacts(Commit(ArtifactKind::kBlob));
  ASSERT_OK_AND_ASSIGN(const PrepareOptions options, ToPrepareOptions(spec, *store_));
  EXPECT_EQ(options.vocab_size, 4096u);
  EXPECT_EQ(options.universe.layers, 2);
  EXPECT_EQ(options.universe.nodes_per_layer, 4096);
  EXPECT_EQ(options.universe.min_count, 2);
  EXPECT_EQ(options.split.validation_ppm, 50'000u);
  EXPECT_EQ(options.split.selection_ppm, 50'000u);
  EXPECT_EQ(options.reader.max_bad_lines, 0u);
  EXPECT_THAT(options.representations, ElementsAre("token", "coordinate"));
  ASSERT_EQ(options.inputs.size(), 1u);
  EXPECT_THAT(options.inputs[0], HasSubstr("/blob/"));
}

TEST_F(SpecConvertTest, WithoutLayersOnlyTokensAreWritten) {
  v1::PrepareSpec spec;
  spec.mutable_source()->add_paths("/somewhere");
  spec.mutable_universe()->set_layers(0);
  ASSERT_OK_AND_ASSIGN(const PrepareOptions options, ToPrepareOptions(spec, *store_));
  EXPECT_THAT(options.representations, ElementsAre("token"));
}

TEST_F(SpecConvertTest, APresetGivesWhatIsLeftOut) {
  v1::PrepareSpec spec;
  spec.mutable_source()->add_paths("/somewhere");
  spec.mutable_universe()->set_preset("ws");
  spec.mutable_universe()->set_layers(3);
  ASSERT_OK_AND_ASSIGN(const PrepareOptions options, ToPrepareOptions(spec, *store_));
  EXPECT_EQ(options.universe.layers, 3);
  EXPECT_EQ(options.universe.nodes_per_layer, 96);
  EXPECT_EQ(options.universe.superword_layers, 8);
  EXPECT_EQ(options.universe.constraint, JoinRule::kWithinPretoken);
  spec.mutable_universe()->set_preset("best");
  EXPECT_THAT(ToPrepareOptions(spec, *store_), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("best")));
}

TEST_F(SpecConvertTest, PatternsAreNamedOrGiven) {
  v1::PrepareSpec spec;
  spec.mutable_source()->add_paths("/somewhere");
  ASSERT_OK_AND_ASSIGN(PrepareOptions options, ToPrepareOptions(spec, *store_));
  EXPECT_EQ(options.pattern, kGpt2Pattern);
  spec.mutable_tokenizer()->set_pattern("o200k");
  ASSERT_OK_AND_ASSIGN(options, ToPrepareOptions(spec, *store_));
  EXPECT_EQ(options.pattern, kO200kPattern);
  spec.mutable_tokenizer()->set_pattern("[a");
  EXPECT_THAT(ToPrepareOptions(spec, *store_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tokenizer.pattern")));
}

TEST_F(SpecConvertTest, SuperwordsAreAskedFor) {
  v1::PrepareSpec spec;
  spec.mutable_source()->add_paths("/somewhere");
  ASSERT_OK_AND_ASSIGN(PrepareOptions options, ToPrepareOptions(spec, *store_));
  EXPECT_EQ(options.superword_from, 0U);
  spec.mutable_tokenizer()->set_superword_from(3000);
  ASSERT_OK_AND_ASSIGN(options, ToPrepareOptions(spec, *store_));
  EXPECT_EQ(options.superword_from, 3000U);
  spec.mutable_tokenizer()->set_superword_from(4096);
  EXPECT_THAT(ToPrepareOptions(spec, *store_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("superword_from is 4096")));
}

TEST_F(SpecConvertTest, AUniverseToExtendBringsItsTokenizer) {
  v1::PrepareSpec spec;
  spec.mutable_source()->add_paths("/somewhere");
  spec.mutable_universe()->set_extends(Commit(ArtifactKind::kUniverse));  // of nothing
  EXPECT_THAT(ToPrepareOptions(spec, *store_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("names no tokenizer")));
  spec.mutable_tokenizer()->set_artifact(Commit(ArtifactKind::kTokenizer));
  ASSERT_OK_AND_ASSIGN(const PrepareOptions options, ToPrepareOptions(spec, *store_));
  EXPECT_EQ(options.extended_universe.Name(), spec.universe().extends());
  EXPECT_EQ(options.tokenizer.Name(), spec.tokenizer().artifact());
  spec.mutable_tokenizer()->set_artifact(Commit(ArtifactKind::kReport));
  EXPECT_THAT(ToPrepareOptions(spec, *store_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no tokenizer and no blob")));
}

TEST_F(SpecConvertTest, PrepareRefusesWhatIsOutOfRange) {
  v1::PrepareSpec spec;
  EXPECT_THAT(ToPrepareOptions(spec, *store_), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("source")));
  spec.mutable_source()->add_paths("/somewhere");
  spec.mutable_split()->set_validation_per_10000(5001);
  EXPECT_THAT(ToPrepareOptions(spec, *store_), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("5001")));
  spec.clear_split();
  spec.mutable_split()->set_validation_per_10000(0);
  EXPECT_THAT(ToPrepareOptions(spec, *store_), StatusIs(absl::StatusCode::kInvalidArgument));
  spec.clear_split();
  spec.mutable_tokenizer()->set_vocab_size(256);
  EXPECT_THAT(ToPrepareOptions(spec, *store_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("vocab_size is 256")));
  spec.clear_tokenizer();
  spec.mutable_universe()->set_layers(4'000'000'000);
  EXPECT_THAT(ToPrepareOptions(spec, *store_), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("layers")));
  spec.mutable_universe()->set_layers(2);
  spec.mutable_universe()->set_strategy("magic");
  EXPECT_THAT(ToPrepareOptions(spec, *store_), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("magic")));
}

TEST_F(SpecConvertTest, UnknownRepresentationsAreNamed) {
  v1::PrepareSpec spec;
  spec.mutable_source()->add_paths("/somewhere");
  spec.add_representations("morse");
  EXPECT_THAT(ToPrepareOptions(spec, *store_), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("morse")));
}

TEST_F(SpecConvertTest, ArtifactsMustExistAndBeOfTheRightKind) {
  v1::EvaluateSpec spec;
  EXPECT_THAT(ToEvaluateOptions(spec, *store_), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("checkpoint")));
  spec.set_checkpoint("artifacts/checkpoint/" + std::string(64, 'a'));
  EXPECT_THAT(ToEvaluateOptions(spec, *store_), StatusIs(absl::StatusCode::kNotFound));
  spec.set_checkpoint(Commit(ArtifactKind::kBlob));
  EXPECT_THAT(ToEvaluateOptions(spec, *store_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is no checkpoint")));
  spec.set_checkpoint(Commit(ArtifactKind::kCheckpoint));
  EXPECT_OK(ToEvaluateOptions(spec, *store_));
}

TEST_F(SpecConvertTest, PathsMustLieBelowAnAllowedRoot) {
  const std::string path = WriteInput("a.txt", "x");
  v1::JobSpec spec;
  spec.mutable_prepare()->mutable_source()->add_paths(path);
  EXPECT_THAT(CheckJobSpec(spec, *store_, {}), StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("upload")));
  EXPECT_THAT(CheckJobSpec(spec, *store_, {"/nowhere"}), StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_OK(CheckJobSpec(spec, *store_, {"/nowhere", directory_.path()}));
  // Neither a name that only begins alike nor a way around.
  EXPECT_THAT(CheckJobSpec(spec, *store_, {directory_.path().substr(0, directory_.path().size() - 1)}),
              StatusIs(absl::StatusCode::kPermissionDenied));
  spec.mutable_prepare()->mutable_source()->set_paths(0, directory_.path() + "/artifacts/../a.txt");
  EXPECT_THAT(CheckJobSpec(spec, *store_, {directory_.File("artifacts")}),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(SpecConvertTest, ASpecWithoutATaskIsRefused) {
  EXPECT_THAT(CheckJobSpec(v1::JobSpec(), *store_, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("task")));
}

}  // namespace
}  // namespace clm
