// Processes that die at any moment: the work goes on, and ends as if nothing had happened.
#include <csignal>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/rng.h"
#include "gmock/gmock.h"
#include "tests/integration/server_fixture.h"

namespace clm::testing {
namespace {

using ::testing::HasSubstr;

constexpr int kSteps = 256;
// The first progress that training tells (IntegrationTest::TrainRequest).
constexpr uint64_t kFirstStep = 8;

class KillTest : public IntegrationTest {
 protected:
  // Prepares a corpus and trains without a disturbance; false when the server has no LibTorch.
  bool PrepareReference() {
    if (!HasTorch()) return false;
    request_ = TrainRequest(Prepare().corpus(), "token", kSteps);
    request_.set_request_id("reference");
    checkpoint_ = Run(request_).result().train().checkpoint();
    return true;
  }

  // Starts the same training again, as another job, and waits until it has done `step` steps.
  v1::Job StartTraining(const std::string& request_id, uint64_t step) {
    request_.set_request_id(request_id);
    return WaitUntilStep(Submit(request_).name(), step);
  }

  v1::Job WaitUntilStep(const std::string& name, uint64_t step) {
    return WaitUntil(name, [step](const v1::Job& job) {
      if (job.state() != v1::JOB_STATE_RUNNING) return false;
      return step == 0 || (job.progress().phase() == "train" && job.progress().done_units() >= step);
    });
  }

  // The step to kill at: the first round's is early enough to be sure that the job still runs.
  static uint64_t StepOf(int round) {
    return round == 0 ? kFirstStep : CounterRng(3, "kill", static_cast<uint64_t>(round)).NextBelow(kSteps);
  }

  // Kills the only worker; false when there is none, which is legal once the job is final.
  bool KillWorker() {
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    std::vector<pid_t> workers = WorkersOf(server_->pid());
    // A job is RUNNING a moment before its worker is there.
    while (workers.empty() && absl::Now() < deadline && !IsFinal(GetJob(job_))) {
      absl::SleepFor(absl::Milliseconds(1));
      workers = WorkersOf(server_->pid());
    }
    for (const pid_t worker : workers) kill(worker, SIGKILL);
    return !workers.empty();
  }

  void ExpectSameResult(const v1::Job& job) const {
    EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED) << job.ShortDebugString();
    EXPECT_EQ(job.result().train().checkpoint(), checkpoint_);
    EXPECT_EQ(job.result().train().steps(), uint64_t{kSteps});
  }

  v1::SubmitJobRequest request_;
  std::string checkpoint_;
  std::string job_;  // the one that KillWorker() is about
};

TEST_F(KillTest, TrainingEndsTheSameWhenTheServerIsKilled) {
  ASSERT_TRUE(StartServer());
  if (!PrepareReference()) GTEST_SKIP() << "the server was built without LibTorch";
  for (int round = 0; round < KillRounds() && !HasFailure(); ++round) {
    SCOPED_TRACE(absl::StrCat("round ", round, ", killed at step ", StepOf(round)));
    const v1::Job before = StartTraining(absl::StrCat("server-round-", round), StepOf(round));
    KillServer();
    ASSERT_TRUE(StartServer());
    const v1::Job after = Await(before.name());
    ExpectSameResult(after);
    if (round == 0) {
      EXPECT_EQ(after.attempts(), 2u) << "the kill came after the job's end";
    }
  }
  EXPECT_TRUE(IsServing());
}

TEST_F(KillTest, TrainingEndsTheSameWhenTheWorkerIsKilled) {
  ASSERT_TRUE(StartServer());
  if (!PrepareReference()) GTEST_SKIP() << "the server was built without LibTorch";
  for (int round = 0; round < KillRounds() && !HasFailure(); ++round) {
    SCOPED_TRACE(absl::StrCat("round ", round, ", killed at step ", StepOf(round)));
    job_ = StartTraining(absl::StrCat("worker-round-", round), StepOf(round)).name();
    const bool killed = KillWorker();
    const v1::Job after = Await(job_);
    ExpectSameResult(after);
    EXPECT_LE(after.attempts(), 2u);
    if (round == 0) {
      EXPECT_TRUE(killed);
      EXPECT_EQ(after.attempts(), 2u);
    }
  }
  EXPECT_TRUE(IsServing());
}

TEST_F(KillTest, JobOfADeadWorkerFailsWhenNoResumeIsLeftAndGoesOnWhenAsked) {
  ASSERT_TRUE(StartServer({"--max_job_resumes=0"}));
  if (!PrepareReference()) GTEST_SKIP() << "the server was built without LibTorch";
  job_ = StartTraining("fails", kFirstStep).name();
  ASSERT_TRUE(KillWorker());
  const v1::Job failed = Await(job_);
  EXPECT_EQ(failed.state(), v1::JOB_STATE_FAILED) << failed.ShortDebugString();
  EXPECT_EQ(failed.error().signal(), SIGKILL);
  EXPECT_THAT(failed.error().message(), HasSubstr("signal 9"));
  EXPECT_EQ(failed.attempts(), 1u);
  v1::ResumeJobRequest resume;
  resume.set_job(job_);
  v1::Job resumed;
  const grpc::Status status = Unary(*jobs_, &v1::JobService::Stub::ResumeJob, resume, resumed);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ExpectSameResult(Await(job_));
}

}  // namespace
}  // namespace clm::testing
