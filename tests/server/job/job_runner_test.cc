#include "server/job/job_runner.h"

#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Seconds(20);

class JobRunnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SetLogLevel(LogLevel::kError);
    options_.worker_path = CLM_FAKE_WORKER;
    Open();
  }

  void Open() {
    runner_.reset();
    table_.reset();
    ASSERT_OK_AND_ASSIGN(
        auto journal,
        JobJournal::Open({.path = directory_.File("journal.sqlite"), .max_size_bytes = 0, .on_commit = {}}));
    ASSERT_OK_AND_ASSIGN(table_, JobTable::Open(std::move(journal), {.progress_interval = absl::Milliseconds(5)}));
    options_.data_dir = directory_.path();
    runner_ = std::make_unique<JobRunner>(*table_, options_);
    ASSERT_OK(runner_->Start());
  }

  std::string Submit(const std::vector<std::string>& words) {
    v1::SubmitJobRequest request;
    auto& source = *request.mutable_spec()->mutable_prepare()->mutable_source();
    for (const std::string& word : words) source.add_paths(word);
    return table_->Submit(request).value().name();
  }

  // Waits until `done` is true of the job.
  v1::Job WaitFor(const std::string& name, const std::function<bool(const v1::Job&)>& done) {
    const absl::Time deadline = absl::Now() + kPatience;
    uint64_t cursor = 0;
    while (absl::Now() < deadline) {
      const auto events = table_->WaitForEvents(name, cursor, kPatience);
      if (!events.ok()) break;
      for (const v1::JobEvent& event : events->events) {
        cursor = event.cursor();
        if (done(event.job())) return event.job();
      }
      if (events->final) break;
    }
    ADD_FAILURE() << name << " is " << table_->Get(name).value().DebugString();
    return table_->Get(name).value();
  }
  v1::Job WaitUntilFinal(const std::string& name) {
    return WaitFor(name, [](const v1::Job& job) { return job.state() >= v1::JOB_STATE_SUCCEEDED; });
  }
  v1::Job WaitUntilRunning(const std::string& name) {
    return WaitFor(name, [](const v1::Job& job) { return job.state() == v1::JOB_STATE_RUNNING; });
  }
  v1::Job WaitUntilWorking(const std::string& name) {
    return WaitFor(name, [](const v1::Job& job) { return job.has_progress(); });
  }

  std::string File(const std::string& name, const std::string& file) const {
    return directory_.File(absl::StrCat(name, "/", file));
  }

  testing::TemporaryDirectory directory_;
  JobRunnerOptions options_;
  std::unique_ptr<JobTable> table_;
  std::unique_ptr<JobRunner> runner_;
};

TEST_F(JobRunnerTest, ResultAndExitZeroMakeASuccess) {
  const v1::Job job = WaitUntilFinal(Submit({"steps=3", "log=hello", "line=from the pipe", "result"}));
  EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(job.result().prepare().corpus(), "steps:3");
  EXPECT_EQ(job.progress().done_units(), 3u);
  EXPECT_EQ(job.attempts(), 1u);
  EXPECT_TRUE(job.has_start_time());
  EXPECT_TRUE(job.has_end_time());
  ASSERT_OK_AND_ASSIGN(const std::string log, ReadFile(PosixFileSystem(), File(job.name(), "log"), 1 << 20));
  EXPECT_THAT(log, HasSubstr("hello\n"));
  EXPECT_THAT(log, HasSubstr("from the pipe\n"));
}

TEST_F(JobRunnerTest, ErrorEventMakesAFailureWithTheLog) {
  const v1::Job job = WaitUntilFinal(Submit({"log=what happened", "error=lossy representation", "exit=1"}));
  EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(job.error().code(), 9);
  EXPECT_EQ(job.error().message(), "lossy representation");
  EXPECT_THAT(job.error().log_tail(), Contains("what happened"));
  EXPECT_EQ(job.attempts(), 1u) << "an error is an answer, not an accident";
}

TEST_F(JobRunnerTest, DeadWorkerIsStartedAgainAndContinues) {
  const v1::Job job = WaitUntilFinal(Submit({"steps=2", "die_until=3", "steps=4", "result"}));
  EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(job.attempts(), 3u);
  EXPECT_EQ(job.result().prepare().corpus(), "steps:4");
  EXPECT_FALSE(job.has_error());
}

TEST_F(JobRunnerTest, WorkerThatAlwaysDiesFailsTheJobWithSignalAndLastLines) {
  const std::string name = Submit({"log=before the end", "signal=11"});
  const v1::Job job = WaitUntilFinal(name);
  EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(job.attempts(), options_.max_resumes + 1);
  EXPECT_EQ(job.error().signal(), SIGSEGV);
  EXPECT_THAT(job.error().message(), HasSubstr("signal 11"));
  EXPECT_THAT(job.error().log_tail(), Contains("before the end"));
  ASSERT_OK_AND_ASSIGN(const JobEvents events, table_->WaitForEvents(name, 1, absl::ZeroDuration()));
  int requeued = 0;
  for (const v1::JobEvent& event : events.events) {
    if (event.job().state() == v1::JOB_STATE_QUEUED && event.job().error().signal() == SIGSEGV) ++requeued;
  }
  EXPECT_EQ(requeued, 3) << "each death is in the history";
}

TEST_F(JobRunnerTest, ResultWithoutExitZeroAndExitZeroWithoutResultAreNoSuccess) {
  const v1::Job died = WaitUntilFinal(Submit({"result", "exit=3"}));
  EXPECT_EQ(died.state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(died.error().message(), HasSubstr("status 3 after its result"));
  const v1::Job silent = WaitUntilFinal(Submit({"exit=0"}));
  EXPECT_EQ(silent.state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(silent.error().message(), HasSubstr("status 0 and without a result"));
}

TEST_F(JobRunnerTest, NonsenseOnTheEventPipeEndsTheWorker) {
  const v1::Job job = WaitUntilFinal(Submit({"garbage"}));
  EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(job.error().message(), HasSubstr("4294967295"));
}

TEST_F(JobRunnerTest, CancelStopsAnObedientWorker) {
  const std::string name = Submit({"steps=1", "wait"});
  WaitUntilWorking(name);
  ASSERT_OK(table_->Cancel(name));
  EXPECT_EQ(WaitUntilFinal(name).state(), v1::JOB_STATE_CANCELLED);
}

TEST_F(JobRunnerTest, CancelKillsAStubbornWorkerAfterTheGrace) {
  options_.cancel_grace = absl::Milliseconds(100);
  Open();
  const std::string name = Submit({"stubborn"});
  WaitUntilRunning(name);
  ASSERT_OK(table_->Cancel(name));
  EXPECT_EQ(WaitUntilFinal(name).state(), v1::JOB_STATE_CANCELLED);
}

TEST_F(JobRunnerTest, CancelledJobResumesWhereItWas) {
  const std::string name = Submit({"steps=100000", "result"});
  WaitUntilWorking(name);
  ASSERT_OK(table_->Cancel(name));
  EXPECT_EQ(WaitUntilFinal(name).state(), v1::JOB_STATE_CANCELLED);
  const uint64_t done = table_->Get(name).value().progress().done_units();
  ASSERT_OK(table_->Resume(name));
  const v1::Job again = WaitFor(name, [&](const v1::Job& job) {
    return job.state() == v1::JOB_STATE_RUNNING && job.progress().done_units() > done;
  });
  EXPECT_EQ(again.attempts(), 2u);
}

TEST_F(JobRunnerTest, StopPutsRunningJobsBackAndTheNextStartFinishesThem) {
  const std::string name = Submit({"steps=40", "result"});
  WaitUntilWorking(name);
  runner_->Stop();
  const v1::Job stopped = table_->Get(name).value();
  EXPECT_EQ(stopped.state(), v1::JOB_STATE_QUEUED);
  EXPECT_FALSE(stopped.has_error()) << "a drained job did nothing wrong";
  Open();
  const v1::Job job = WaitUntilFinal(name);
  EXPECT_EQ(job.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(job.result().prepare().corpus(), "steps:40");
}

TEST_F(JobRunnerTest, SlotsBoundHowManyJobsRun) {
  options_.slots = 2;
  Open();
  std::vector<std::string> names;
  for (int i = 0; i < 3; ++i) names.push_back(Submit({"wait"}));
  WaitUntilRunning(names[0]);
  WaitUntilRunning(names[1]);
  EXPECT_EQ(table_->Get(names[2]).value().state(), v1::JOB_STATE_QUEUED);
  ASSERT_OK(table_->Cancel(names[0]));
  WaitUntilRunning(names[2]);
}

TEST_F(JobRunnerTest, WorkerThatCannotBeRunFailsTheJobAndSaysSo) {
  options_.worker_path = "/nowhere/clm_worker";
  options_.max_resumes = 0;
  Open();
  const v1::Job job = WaitUntilFinal(Submit({"result"}));
  EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(job.error().log_tail(), Contains(HasSubstr("/nowhere/clm_worker")));
}

TEST_F(JobRunnerTest, FilesOfJobsThatAreNoMoreGoAtStart) {
  const v1::Job kept = WaitUntilFinal(Submit({"result"}));
  ASSERT_OK(PosixFileSystem().MakeDirectories(directory_.File("jobs/train-99")));
  Open();
  EXPECT_FALSE(PosixFileSystem().Exists(directory_.File("jobs/train-99")));
  EXPECT_TRUE(PosixFileSystem().Exists(directory_.File(kept.name())));
  ASSERT_OK(runner_->RemoveFiles(kept.spec().job_id()));
  EXPECT_FALSE(PosixFileSystem().Exists(directory_.File(kept.name())));
}

TEST_F(JobRunnerTest, OptionsOutOfRangeAreNamed) {
  options_.slots = 0;
  EXPECT_THAT(options_.Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("slots: 0")));
  options_.slots = 65;
  EXPECT_THAT(options_.Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("slots: 65")));
  options_.slots = 64;
  EXPECT_OK(options_.Validate());
  options_.max_resumes = 101;
  EXPECT_THAT(options_.Validate(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("max_resumes: 101")));
}

}  // namespace
}  // namespace clm
