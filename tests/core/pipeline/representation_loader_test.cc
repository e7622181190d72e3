#include "core/pipeline/representation_loader.h"

#include "core/pipeline/prepare.h"
#include "tests/core/pipeline/pipeline_fixture.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

class LoadRepresentationTest : public PipelineTest {
 protected:
  LoadRepresentationTest() {
    PrepareOptions options;
    options.inputs = {WriteInput("corpus.jsonl", Sentences())};
    options.vocab_size = 300;
    options.universe.nodes_per_layer = 20;
    auto outcome = RunPrepare(options, Context());
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    prepared_ = *std::move(outcome);
  }

  PrepareOutcome prepared_;
};

TEST_F(LoadRepresentationTest, EveryArtifactWithTablesWillDo) {
  ASSERT_OK_AND_ASSIGN(const LoadedRepresentation corpus,
                       LoadRepresentation(*store_, prepared_.corpus, "coordinate", {}));
  ASSERT_OK_AND_ASSIGN(const LoadedRepresentation universe, LoadRepresentation(*store_, prepared_.universe, "", {}));
  EXPECT_EQ(corpus.representation->fingerprint(), universe.representation->fingerprint());
  EXPECT_TRUE(universe.universe.has_value());
  ASSERT_OK_AND_ASSIGN(const LoadedRepresentation tokenizer, LoadRepresentation(*store_, prepared_.tokenizer, "", {}));
  EXPECT_EQ(tokenizer.representation->kind(), "token");
  ASSERT_OK_AND_ASSIGN(const std::vector<SymbolId> ids, corpus.representation->Encode("the cat sees"));
  ASSERT_OK_AND_ASSIGN(const std::string text, corpus.representation->Decode(ids));
  EXPECT_EQ(text, "the cat sees");
}

TEST_F(LoadRepresentationTest, ACorpusMustBeToldWhichOne) {
  EXPECT_THAT(LoadRepresentation(*store_, prepared_.corpus, "", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("several")));
}

TEST_F(LoadRepresentationTest, ATokenizerHasNoCoordinates) {
  EXPECT_THAT(LoadRepresentation(*store_, prepared_.tokenizer, "coordinate", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no universe")));
}

TEST_F(LoadRepresentationTest, DamagedTablesAreDataLoss) {
  const std::string path = store_->Folder(prepared_.tokenizer) + "/tokenizer.json";
  ASSERT_OK_AND_ASSIGN(std::string content, ReadFile(PosixFileSystem(), path, 1 << 20));
  content[content.size() / 2] ^= 1;
  ASSERT_OK(WriteFileAtomically(PosixFileSystem(), path, content));
  ASSERT_OK_AND_ASSIGN(store_, ArtifactStore::Open(PosixFileSystem(), directory_.File("artifacts"), clock_, {}));
  EXPECT_THAT(LoadRepresentation(*store_, prepared_.tokenizer, "", {}), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(LoadRepresentationTest, BytesNeedNoTables) {
  EXPECT_EQ(ByteRepresentationInstance()->layout().vocab_size, 257u);
}

}  // namespace
}  // namespace clm
