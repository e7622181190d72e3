#include "server/worker/run_job.h"

#include "tests/core/pipeline/pipeline_fixture.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;

using RunJobTest = PipelineTest;

TEST_F(RunJobTest, PrepareLeavesACorpusInTheStore) {
  v1::JobSpec spec;
  v1::PrepareSpec& prepare = *spec.mutable_prepare();
  prepare.mutable_source()->add_paths(WriteInput("a.jsonl", Sentences()));
  prepare.mutable_tokenizer()->set_vocab_size(300);
  prepare.mutable_universe()->set_nodes_per_layer(32);
  ASSERT_OK_AND_ASSIGN(const v1::JobResult result, RunJob(spec, Context()));
  EXPECT_TRUE(result.prepare().round_trip_proven());
  EXPECT_OK(store_->Resolve(result.prepare().corpus()));
}

TEST_F(RunJobTest, ErrorsOfTheSpecComeBackAsTheyAre) {
  EXPECT_THAT(RunJob(v1::JobSpec(), Context()), StatusIs(absl::StatusCode::kInvalidArgument));
  v1::JobSpec spec;
  spec.mutable_train()->set_corpus("ffffffff");
  EXPECT_THAT(RunJob(spec, Context()), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace clm
