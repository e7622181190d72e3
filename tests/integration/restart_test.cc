// What outlives a server, how it ends in order, and that it is alone on its folder.
#include <csignal>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "tests/integration/server_fixture.h"

namespace clm::testing {
namespace {

using ::testing::HasSubstr;

class RestartTest : public IntegrationTest {
 protected:
  void SetUp() override { ASSERT_TRUE(StartServer()); }

  void ExpectSameJobOnlyForTheSameSpec(const v1::SubmitJobRequest& request, const std::string& name) {
    EXPECT_EQ(Submit(request).name(), name);
    v1::SubmitJobRequest other = request;
    other.mutable_spec()->mutable_prepare()->mutable_tokenizer()->set_vocab_size(301);
    v1::Job job;
    const grpc::Status status = TrySubmit(other, job);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::ALREADY_EXISTS) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr("only-once"));
  }
};

TEST_F(RestartTest, RequestIdMeansOneJobAlsoAfterACrash) {
  const v1::SubmitJobRequest request = PrepareRequest(UploadCorpus(), "only-once");
  const std::string name = Submit(request).name();
  ExpectSameJobOnlyForTheSameSpec(request, name);
  KillServer();
  ASSERT_TRUE(StartServer());
  ExpectSameJobOnlyForTheSameSpec(request, name);
  const v1::Job done = Await(name);
  EXPECT_EQ(done.state(), v1::JOB_STATE_SUCCEEDED) << done.ShortDebugString();
  ExpectSameJobOnlyForTheSameSpec(request, name);
  v1::ListJobsResponse jobs;
  ASSERT_TRUE(Unary(*jobs_, &v1::JobService::Stub::ListJobs, v1::ListJobsRequest(), jobs).ok());
  EXPECT_EQ(jobs.jobs_size(), 1);
}

TEST_F(RestartTest, SecondServerOnTheFolderIsRefusedNamingTheFirst) {
  const std::string log = directory_.File("second.log");
  ServerProcess second(Arguments({}), log);
  EXPECT_EQ(second.WaitForAddress(), "");
  EXPECT_EQ(second.Wait(), 1);
  EXPECT_THAT(ReadFile(log), HasSubstr(DataDir()));
  EXPECT_THAT(ReadFile(log), HasSubstr(absl::StrCat("process ", server_->pid())));
  EXPECT_TRUE(IsServing());
}

TEST_F(RestartTest, DrainEndsWatchesAndItsJobGoesOnAtTheNextStart) {
  if (!HasTorch()) GTEST_SKIP() << "the server was built without LibTorch";
  const std::string name = Submit(TrainRequest(Prepare().corpus(), "token", 512)).name();
  WaitUntil(name, [](const v1::Job& job) { return job.progress().phase() == "train"; });
  grpc::Status watched;
  v1::Job last;
  absl::Notification watching;
  std::thread watcher([&] {
    v1::WatchJobRequest request;
    request.set_job(name);
    const auto context = NewContext();
    const auto reader = jobs_->WatchJob(context.get(), request);
    v1::JobEvent event;
    if (reader->Read(&event)) last = event.job();
    watching.Notify();
    while (reader->Read(&event)) last = event.job();
    watched = reader->Finish();
  });
  watching.WaitForNotification();
  const int status = DrainServer();
  watcher.join();
  EXPECT_EQ(status, 0);
  EXPECT_EQ(watched.error_code(), grpc::StatusCode::UNAVAILABLE) << watched.error_message();
  EXPECT_FALSE(IsFinal(last)) << last.ShortDebugString();
  ASSERT_TRUE(StartServer());
  const v1::Job done = Await(name);
  EXPECT_EQ(done.state(), v1::JOB_STATE_SUCCEEDED) << done.ShortDebugString();
  EXPECT_EQ(done.attempts(), 2u);
}

}  // namespace
}  // namespace clm::testing
