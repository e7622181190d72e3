#include "client/job_watch.h"

#include "tests/client/fake_server.h"

namespace clm::client {
namespace {

v1::JobEvent Event(uint64_t cursor, v1::JobState state) {
  v1::JobEvent event;
  event.set_cursor(cursor);
  event.mutable_job()->set_name("jobs/j1");
  event.mutable_job()->set_state(state);
  return event;
}

class WatchJobTest : public ::testing::Test {
 protected:
  WatchJobTest() {
    session_.options().address = server_.address();
    session_.options().quiet = true;
    job_.set_name("jobs/j1");
  }

  FakeServer server_;
  Session session_;
  v1::Job job_;
};

TEST_F(WatchJobTest, ABrokenWatchResumesAtItsCursor) {
  server_.events = {Event(1, v1::JOB_STATE_QUEUED), Event(2, v1::JOB_STATE_RUNNING), Event(3, v1::JOB_STATE_SUCCEEDED)};
  EXPECT_EQ(WatchJob(session_, 0, job_, absl::Milliseconds(1)), kExitOk);
  EXPECT_EQ(job_.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(server_.calls, (std::vector<std::string>{"WatchJob 0", "WatchJob 1", "WatchJob 2"}));
}

TEST_F(WatchJobTest, AFailedJobGivesTheExitCodeOfItsError) {
  server_.job.set_state(v1::JOB_STATE_FAILED);
  server_.job.mutable_error()->set_code(static_cast<int>(absl::StatusCode::kDataLoss));
  EXPECT_EQ(WatchJob(session_, 0, job_), kExitDataLoss);
}

TEST_F(WatchJobTest, ACancelledJobIsNoSuccess) {
  server_.job.set_state(v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(WatchJob(session_, 0, job_), kExitFailed);
}

}  // namespace
}  // namespace clm::client
