#include "server/service/job_handler.h"

#include <memory>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/service/message_streams.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

class JobHandlerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    JobJournalOptions options;
    options.path = directory_.File("journal.sqlite");
    ASSERT_OK_AND_ASSIGN(auto journal, JobJournal::Open(options));
    ASSERT_OK_AND_ASSIGN(table_, JobTable::Open(std::move(journal), {}));
  }

  static v1::SubmitJobRequest TrainRequest(absl::string_view request_id = {}) {
    v1::SubmitJobRequest request;
    request.set_request_id(std::string(request_id));
    request.mutable_spec()->mutable_train()->set_corpus("corpus");
    return request;
  }
  absl::StatusOr<v1::Job> Submit(const v1::SubmitJobRequest& request) {
    return HandleSubmit(
        *table_, v1::JOB_KIND_TRAIN, [this](const v1::JobSpec&) { return spec_answer_; }, request);
  }

  testing::TemporaryDirectory directory_;
  std::unique_ptr<JobTable> table_;
  absl::Status spec_answer_;
};

TEST_F(JobHandlerTest, SpecOfAnotherKindIsRefused) {
  v1::SubmitJobRequest request;
  request.mutable_spec()->mutable_prepare();
  EXPECT_THAT(Submit(request), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("prepare")));
  EXPECT_THAT(Submit({}), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(JobHandlerTest, CheckOfTheSpecDecidesButNotAboutRepetitions) {
  ASSERT_OK_AND_ASSIGN(const v1::Job job, Submit(TrainRequest("r")));
  spec_answer_ = absl::NotFoundError("no artifact corpus");
  EXPECT_THAT(Submit(TrainRequest("other")), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(Submit(TrainRequest("r"))->name(), job.name()) << "accepted before the corpus went";
  EXPECT_EQ(table_->List({}).jobs.size(), 1u);
}

TEST_F(JobHandlerTest, AnInputThatGoesWhileItIsCheckedRefusesTheJob) {
  int asked = 0;
  const JobSpecCheck check = [&asked](const v1::JobSpec&) {
    return ++asked == 1 ? absl::OkStatus() : absl::NotFoundError("no artifact corpus");
  };
  EXPECT_THAT(HandleSubmit(*table_, v1::JOB_KIND_TRAIN, check, TrainRequest()), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(asked, 2);
  EXPECT_TRUE(table_->List({}).jobs.empty());
}

TEST_F(JobHandlerTest, PagesFollowEachOtherToTheEnd) {
  for (int i = 0; i < 5; ++i) ASSERT_OK(Submit(TrainRequest()));
  v1::ListJobsRequest request;
  request.set_page_size(2);
  std::string names;
  int pages = 0;
  do {
    ASSERT_OK_AND_ASSIGN(const v1::ListJobsResponse page, HandleListJobs(*table_, request));
    for (const v1::Job& job : page.jobs()) names += job.name() + " ";
    request.set_page_token(page.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(names, "jobs/train-5 jobs/train-4 jobs/train-3 jobs/train-2 jobs/train-1 ");
}

TEST_F(JobHandlerTest, BadListRequestsAreNamed) {
  v1::ListJobsRequest request;
  request.set_page_size(-1);
  EXPECT_THAT(HandleListJobs(*table_, request), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_size")));
  request.set_page_size(0);
  request.set_page_token("AAAA");
  EXPECT_THAT(HandleListJobs(*table_, request), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_token")));
  request.clear_page_token();
  request.set_state(static_cast<v1::JobState>(25));
  EXPECT_THAT(HandleListJobs(*table_, request), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("state")));
}

TEST_F(JobHandlerTest, WatchSendsEverythingUntilTheJobIsFinal) {
  ASSERT_OK(Submit(TrainRequest()));
  const Call call("m", "id");
  testing::FakeWriter<v1::JobEvent> writer;
  std::thread worker([&] {
    ASSERT_OK(table_->Claim());
    ASSERT_OK(table_->Succeed("train-1", {}));
  });
  v1::WatchJobRequest request;
  request.set_job("jobs/train-1");
  request.set_cursor(1);
  EXPECT_OK(HandleWatchJob(*table_, call, request, writer));
  worker.join();
  ASSERT_EQ(writer.messages.size(), 2u);
  EXPECT_EQ(writer.messages[0].job().state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(writer.messages[1].job().state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(writer.messages[1].cursor(), 3u);
}

TEST_F(JobHandlerTest, WatchEndsWithItsCaller) {
  ASSERT_OK(Submit(TrainRequest()));
  Call call("m", "id");
  testing::FakeWriter<v1::JobEvent> writer;
  v1::WatchJobRequest request;
  request.set_job("train-1");
  std::thread caller([&] { call.source().Cancel(); });
  EXPECT_THAT(HandleWatchJob(*table_, call, request, writer), StatusIs(absl::StatusCode::kCancelled));
  caller.join();
  request.set_job("train-2");
  EXPECT_THAT(HandleWatchJob(*table_, Call("m", "id"), request, writer), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace clm
