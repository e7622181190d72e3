#include "server/job/job_request.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

v1::SubmitJobRequest TrainRequest() {
  v1::SubmitJobRequest request;
  request.mutable_spec()->mutable_train()->set_corpus("abc");
  return request;
}

TEST(JobRequestTest, KindFollowsFromTheTask) {
  v1::JobSpec spec;
  EXPECT_EQ(KindOf(spec), v1::JOB_KIND_UNSPECIFIED);
  spec.mutable_prepare();
  EXPECT_EQ(KindName(KindOf(spec)), "prepare");
  spec.mutable_train();
  EXPECT_EQ(KindName(KindOf(spec)), "train");
  spec.mutable_evaluate();
  EXPECT_EQ(KindName(KindOf(spec)), "evaluate");
}

TEST(JobRequestTest, LimitsOfRequestIdAndDisplayNameAreInclusive) {
  v1::SubmitJobRequest request = TrainRequest();
  EXPECT_OK(CheckSubmitRequest(request));
  request.set_request_id(std::string(kMaxRequestIdLength, 'a'));
  request.set_display_name(std::string(kMaxDisplayNameBytes, 'n'));
  EXPECT_OK(CheckSubmitRequest(request));
  request.set_request_id(std::string(kMaxRequestIdLength + 1, 'a'));
  EXPECT_THAT(CheckSubmitRequest(request), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("request_id")));
  request.set_request_id("AZaz09_.-");
  EXPECT_OK(CheckSubmitRequest(request));
  request.set_display_name(std::string(kMaxDisplayNameBytes + 1, 'n'));
  EXPECT_THAT(CheckSubmitRequest(request), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("display_name")));
}

TEST(JobRequestTest, OtherCharactersInRequestIdAreRefused) {
  for (const char* id : {"a b", "a/b", "\xc3\xa4", "a\n"}) {
    v1::SubmitJobRequest request = TrainRequest();
    request.set_request_id(id);
    EXPECT_THAT(CheckSubmitRequest(request), StatusIs(absl::StatusCode::kInvalidArgument)) << id;
  }
}

TEST(JobRequestTest, SpecWithoutTaskIsRefused) {
  EXPECT_THAT(CheckSubmitRequest({}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("spec")));
}

TEST(JobRequestTest, DigestIgnoresJobIdAndSeesEverythingElse) {
  v1::JobSpec spec = TrainRequest().spec();
  const std::string digest = SpecDigest(spec);
  EXPECT_EQ(digest.size(), 64u);
  spec.set_job_id("train-7");
  EXPECT_EQ(SpecDigest(spec), digest);
  spec.mutable_train()->set_seed(1);
  EXPECT_NE(SpecDigest(spec), digest);
}

TEST(JobRequestTest, EveryArtifactThatASpecNamesIsAnInput) {
  v1::JobSpec prepare;
  prepare.mutable_prepare()->mutable_source()->add_artifacts("a");
  prepare.mutable_prepare()->mutable_source()->add_artifacts("b");
  prepare.mutable_prepare()->mutable_tokenizer()->set_artifact("c");
  prepare.mutable_prepare()->mutable_universe()->set_extends("d");
  EXPECT_THAT(InputArtifacts(prepare), ::testing::ElementsAre("a", "b", "c", "d"));
  v1::JobSpec evaluate;
  evaluate.mutable_evaluate()->set_checkpoint("e");
  evaluate.mutable_evaluate()->mutable_source()->add_artifacts("f");
  EXPECT_THAT(InputArtifacts(evaluate), ::testing::ElementsAre("e", "f"));
  v1::JobSpec train;
  train.mutable_train()->set_corpus("g");
  EXPECT_THAT(InputArtifacts(train), ::testing::ElementsAre("g"));
  EXPECT_THAT(InputArtifacts({}), ::testing::IsEmpty());
}

TEST(JobRequestTest, NameAndIdMeanTheSameJob) {
  EXPECT_EQ(JobIdOf("jobs/train-7"), "train-7");
  EXPECT_EQ(JobIdOf("train-7"), "train-7");
}

}  // namespace
}  // namespace clm
