#include "server/job/job_table.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/service/error_detail.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

class JobTableTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  void Reopen() {
    table_.reset();
    ASSERT_OK_AND_ASSIGN(auto journal, JobJournal::Open({.path = directory_.File("journal.sqlite"),
                                                         .max_size_bytes = max_journal_bytes_,
                                                         .on_commit = {}}));
    JobTableOptions options;
    options.max_queued_jobs = 3;
    options.clock = &clock_;
    ASSERT_OK_AND_ASSIGN(table_, JobTable::Open(std::move(journal), options));
  }

  static v1::SubmitJobRequest Request(absl::string_view request_id = {}, uint64_t seed = 0) {
    v1::SubmitJobRequest request;
    request.set_request_id(std::string(request_id));
    request.mutable_spec()->mutable_train()->set_corpus("corpus");
    request.mutable_spec()->mutable_train()->set_seed(seed);
    return request;
  }

  std::string Submit() { return table_->Submit(Request()).value().name(); }
  std::string Claim() { return table_->Claim().value().value().job.name(); }
  std::string SubmitAndClaim() {
    Submit();
    return Claim();
  }
  v1::JobState StateOf(const std::string& name) { return table_->Get(name).value().state(); }

  static v1::JobProgress Done(uint64_t units) {
    v1::JobProgress progress;
    progress.set_done_units(units);
    return progress;
  }

  static v1::JobError Error(const std::string& message) {
    v1::JobError error;
    error.set_message(message);
    return error;
  }

  testing::TemporaryDirectory directory_;
  FakeClock clock_;
  uint64_t max_journal_bytes_ = 0;
  std::unique_ptr<JobTable> table_;
};

TEST_F(JobTableTest, SubmittedJobIsQueuedAndNamedAfterItsKind) {
  ASSERT_OK_AND_ASSIGN(const v1::Job job, table_->Submit(Request("r")));
  EXPECT_EQ(job.name(), "jobs/train-1");
  EXPECT_EQ(job.spec().job_id(), "train-1");
  EXPECT_EQ(job.state(), v1::JOB_STATE_QUEUED);
  EXPECT_EQ(job.kind(), v1::JOB_KIND_TRAIN);
  EXPECT_EQ(job.create_time().seconds(), absl::ToUnixSeconds(clock_.Now()));
  EXPECT_FALSE(job.has_start_time());
  EXPECT_EQ(table_->Get("train-1").value().name(), job.name());
  EXPECT_THAT(table_->Get("train-2"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("train-2")));
}

TEST_F(JobTableTest, SameRequestIdIsTheSameJobAlsoAfterRestart) {
  ASSERT_OK_AND_ASSIGN(const v1::Job first, table_->Submit(Request("r")));
  EXPECT_EQ(table_->Submit(Request("r")).value().name(), first.name());
  Reopen();
  EXPECT_EQ(table_->Submit(Request("r")).value().name(), first.name());
  EXPECT_EQ(ReasonOf(table_->Submit(Request("r", /*seed=*/1)).status()), "REQUEST_ID_REUSED");
  EXPECT_THAT(table_->Submit(Request("r", /*seed=*/1)), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_NE(table_->Submit(Request()).value().name(), first.name());
}

TEST_F(JobTableTest, RequestIdOfAnyStateIsRemembered) {
  ASSERT_OK(table_->Submit(Request("r")));
  const std::string name = Claim();
  ASSERT_OK(table_->Succeed(name, {}));
  ASSERT_OK_AND_ASSIGN(const v1::Job again, table_->Submit(Request("r")));
  EXPECT_EQ(again.state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(JobTableTest, FullQueueIsRefusedWithRetryAdvice) {
  for (int i = 0; i < 3; ++i) Submit();
  const absl::Status full = table_->Submit(Request("late")).status();
  EXPECT_THAT(full, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("the limit is 3")));
  EXPECT_EQ(ReasonOf(full), "JOB_QUEUE_FULL");
  EXPECT_EQ(RetryDelayOf(full), absl::Seconds(10));
  Claim();
  EXPECT_OK(table_->Submit(Request("late"))) << "a running job does not wait";
}

TEST_F(JobTableTest, QueueIsFirstInFirstOutAndComebacksGoFirst) {
  for (int i = 0; i < 3; ++i) Submit();
  EXPECT_EQ(Claim(), "jobs/train-1");
  EXPECT_EQ(Claim(), "jobs/train-2");
  ASSERT_OK(table_->Requeue("train-1"));
  EXPECT_EQ(Claim(), "jobs/train-1");
  EXPECT_EQ(table_->Get("train-1").value().attempts(), 2u);
}

TEST_F(JobTableTest, RunningJobsAreQueuedAgainAtStart) {
  const std::string running = SubmitAndClaim();
  const std::string to_cancel = SubmitAndClaim();
  ASSERT_OK(table_->Cancel(to_cancel));
  const std::string done = SubmitAndClaim();
  ASSERT_OK(table_->Succeed(done, {}));
  Reopen();
  EXPECT_EQ(StateOf(running), v1::JOB_STATE_QUEUED);
  EXPECT_EQ(StateOf(to_cancel), v1::JOB_STATE_CANCELLED) << "a caller had asked for it";
  EXPECT_EQ(StateOf(done), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(Claim(), running);
}

TEST_F(JobTableTest, CancelIsImmediateForQueuedAndARequestForRunning) {
  const std::string running = SubmitAndClaim();
  const std::string queued = Submit();
  EXPECT_EQ(table_->Cancel(queued).value().state(), v1::JOB_STATE_CANCELLED);
  EXPECT_FALSE(table_->CancelRequested(running));
  ASSERT_OK_AND_ASSIGN(const v1::Job asked, table_->Cancel(running));
  EXPECT_EQ(asked.state(), v1::JOB_STATE_RUNNING);
  EXPECT_TRUE(asked.cancel_requested());
  EXPECT_TRUE(table_->CancelRequested(running));
  EXPECT_OK(table_->Cancel(running)) << "idempotent";
  ASSERT_OK(table_->MarkCancelled(running));
  EXPECT_FALSE(table_->Get(running).value().cancel_requested());
  EXPECT_OK(table_->Cancel(running)) << "idempotent";
}

TEST_F(JobTableTest, SucceededAndFailedJobsCannotBeCancelled) {
  const std::string good = SubmitAndClaim();
  ASSERT_OK(table_->Succeed(good, {}));
  const std::string bad = SubmitAndClaim();
  ASSERT_OK(table_->Fail(bad, Error("broken")));
  for (const std::string& name : {good, bad}) {
    EXPECT_THAT(table_->Cancel(name), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(name)));
  }
  EXPECT_EQ(table_->Get(bad).value().error().message(), "broken");
}

TEST_F(JobTableTest, FailedAndCancelledJobsCanBeResumed) {
  const std::string name = SubmitAndClaim();
  EXPECT_THAT(table_->Resume(name), StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_OK(table_->Fail(name, Error("broken")));
  ASSERT_OK_AND_ASSIGN(const v1::Job resumed, table_->Resume(name));
  EXPECT_EQ(resumed.state(), v1::JOB_STATE_QUEUED);
  EXPECT_FALSE(resumed.has_error());
  EXPECT_FALSE(resumed.has_end_time());
  EXPECT_EQ(Claim(), name);
}

TEST_F(JobTableTest, DeathsAreForgivenUpToTheLimitAndAgainAfterResume) {
  const std::string name = SubmitAndClaim();
  for (int death = 0; death < 2; ++death) {
    ASSERT_OK(table_->RequeueAfterDeath(name, Error("died"), /*max_resumes=*/2));
    EXPECT_EQ(StateOf(name), v1::JOB_STATE_QUEUED);
    EXPECT_EQ(table_->Get(name).value().error().message(), "died");
    Reopen();  // the count survives
    Claim();
  }
  ASSERT_OK(table_->RequeueAfterDeath(name, Error("died"), /*max_resumes=*/2));
  EXPECT_EQ(StateOf(name), v1::JOB_STATE_FAILED);
  ASSERT_OK(table_->Resume(name));
  Claim();
  ASSERT_OK(table_->RequeueAfterDeath(name, Error("died"), /*max_resumes=*/2));
  EXPECT_EQ(StateOf(name), v1::JOB_STATE_QUEUED);
}

TEST_F(JobTableTest, OnlyFinalJobsAreDeletedAndTheirRequestIdIsFreeAgain) {
  ASSERT_OK_AND_ASSIGN(const v1::Job job, table_->Submit(Request("r")));
  EXPECT_THAT(table_->Delete(job.name()), StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_OK(table_->Cancel(job.name()));
  EXPECT_OK(table_->Delete(job.name()));
  EXPECT_THAT(table_->Get(job.name()), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(table_->Delete(job.name()), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_NE(table_->Submit(Request("r", /*seed=*/5)).value().name(), job.name());
}

TEST_F(JobTableTest, IllegalMovesOfTheRunnerAreRefused) {
  const std::string name = Submit();
  EXPECT_THAT(table_->Succeed(name, {}), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(StateOf(name), v1::JOB_STATE_QUEUED);
  EXPECT_FALSE(table_->Get(name).value().has_result());
}

TEST_F(JobTableTest, PagesAreNewestFirstAndFiltered) {
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) names.push_back(SubmitAndClaim());
  ASSERT_OK(table_->Succeed(names[1], {}));
  ASSERT_OK(table_->Succeed(names[3], {}));
  const auto ask = [&](std::optional<JobState> state, uint64_t before, size_t limit) {
    return table_->List({.state = state, .before_sequence = before, .limit = limit});
  };
  JobPage page = ask(std::nullopt, 0, 2);
  EXPECT_EQ(page.jobs[0].name(), names[4]);
  EXPECT_EQ(page.jobs[1].name(), names[3]);
  page = ask(std::nullopt, page.next_before_sequence, 2);
  EXPECT_EQ(page.jobs[0].name(), names[2]);
  page = ask(std::nullopt, page.next_before_sequence, 2);
  EXPECT_EQ(page.jobs.size(), 1u);
  EXPECT_EQ(page.next_before_sequence, 0u);
  page = ask(JobState::kSucceeded, 0, 1);
  EXPECT_EQ(page.jobs[0].name(), names[3]);
  page = ask(JobState::kSucceeded, page.next_before_sequence, 1);
  EXPECT_EQ(page.jobs[0].name(), names[1]);
  EXPECT_EQ(page.next_before_sequence, 0u);
  EXPECT_TRUE(ask(JobState::kFailed, 0, 10).jobs.empty());
}

TEST_F(JobTableTest, ProgressIsVisibleAtOnceAndJournalledOncePerInterval) {
  const std::string name = SubmitAndClaim();
  const uint64_t start = table_->WaitForEvents(name, 0, absl::ZeroDuration())->events[0].cursor();
  for (uint64_t i = 1; i <= 100; ++i) ASSERT_OK(table_->Report(name, Done(i)));
  EXPECT_EQ(table_->Get(name).value().progress().done_units(), 100u);
  EXPECT_EQ(table_->WaitForEvents(name, 0, absl::ZeroDuration())->events[0].cursor(), start + 1) << "the first only";
  ASSERT_OK(table_->FlushProgress(name));
  EXPECT_EQ(table_->WaitForEvents(name, 0, absl::ZeroDuration())->events[0].cursor(), start + 1) << "not yet due";
  clock_.Advance(absl::Seconds(1));
  ASSERT_OK(table_->FlushProgress(name));
  ASSERT_OK_AND_ASSIGN(const JobEvents flushed, table_->WaitForEvents(name, start + 1, absl::ZeroDuration()));
  ASSERT_EQ(flushed.events.size(), 1u);
  EXPECT_EQ(flushed.events[0].job().progress().done_units(), 100u) << "the last one wins";
  clock_.Advance(absl::Seconds(5));
  ASSERT_OK(table_->FlushProgress(name));
  EXPECT_TRUE(table_->WaitForEvents(name, start + 2, absl::ZeroDuration())->events.empty()) << "nothing new";
}

TEST_F(JobTableTest, WatcherSeesEveryStateEventAfterItsCursor) {
  const std::string name = SubmitAndClaim();  // 1: queued, 2: running
  ASSERT_OK(table_->Cancel(name));            // 3: asked
  ASSERT_OK(table_->MarkCancelled(name));     // 4: cancelled
  ASSERT_OK_AND_ASSIGN(const JobEvents events, table_->WaitForEvents(name, 1, absl::InfiniteDuration()));
  ASSERT_EQ(events.events.size(), 3u);
  EXPECT_TRUE(events.final);
  EXPECT_EQ(events.events[0].cursor(), 2u);
  EXPECT_EQ(events.events[0].job().state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(events.events[0].job().spec().train().corpus(), "corpus") << "the spec comes back";
  EXPECT_EQ(events.events[2].job().state(), v1::JOB_STATE_CANCELLED);
  EXPECT_TRUE(table_->WaitForEvents(name, 4, absl::InfiniteDuration())->final);
  EXPECT_THAT(table_->WaitForEvents(name, 5, absl::ZeroDuration()), StatusIs(absl::StatusCode::kOutOfRange));
  ASSERT_OK_AND_ASSIGN(const JobEvents current, table_->WaitForEvents(name, 0, absl::InfiniteDuration()));
  ASSERT_EQ(current.events.size(), 1u);
  EXPECT_EQ(current.events[0].cursor(), 4u);
}

TEST_F(JobTableTest, WatcherIsWokenByAMoveADeletionAndTheEnd) {
  const std::string name = Submit();
  std::thread mover([&] { Claim(); });
  ASSERT_OK_AND_ASSIGN(const JobEvents moved, table_->WaitForEvents(name, 1, absl::InfiniteDuration()));
  mover.join();
  EXPECT_EQ(moved.events.at(0).job().state(), v1::JOB_STATE_RUNNING);

  std::thread closer([&] { table_->Close(); });
  EXPECT_THAT(table_->WaitForEvents(name, 2, absl::InfiniteDuration()), StatusIs(absl::StatusCode::kUnavailable));
  closer.join();
  EXPECT_EQ(table_->Claim().value(), std::nullopt);
  EXPECT_THAT(table_->Submit(Request()), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(table_->Requeue(name)) << "a drained job finds its way back after Close()";
}

TEST_F(JobTableTest, FullDiskIsSaidAndNothingMoves) {
  max_journal_bytes_ = 64 << 10;
  Reopen();
  const std::string name = SubmitAndClaim();
  EXPECT_THAT(table_->Fail(name, Error(std::string(256 << 10, 'x'))), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(StateOf(name), v1::JOB_STATE_RUNNING);
  EXPECT_FALSE(table_->Get(name).value().has_error());
  EXPECT_OK(table_->Fail(name, Error("short")));
}

// Counts of jobs by state, as a gauge would have them.
class CountingObserver : public JobObserver {
 public:
  void OnMove(v1::JobKind, std::optional<JobState> from, std::optional<JobState> to) override {
    if (from.has_value()) --counts[*from];
    if (to.has_value()) ++counts[*to];
  }
  std::map<JobState, int> counts;
};

TEST_F(JobTableTest, ObserverCanCountJobsByState) {
  CountingObserver observer;
  table_.reset();
  ASSERT_OK_AND_ASSIGN(
      auto journal, JobJournal::Open({.path = directory_.File("other.sqlite"), .max_size_bytes = 0, .on_commit = {}}));
  ASSERT_OK_AND_ASSIGN(table_, JobTable::Open(std::move(journal), {.clock = &clock_, .observer = &observer}));
  const std::string first = SubmitAndClaim();
  SubmitAndClaim();
  Submit();
  ASSERT_OK(table_->Cancel(SubmitAndClaim()));
  EXPECT_EQ(observer.counts[JobState::kRunning], 3);
  ASSERT_OK(table_->Succeed(first, {}));
  ASSERT_OK(table_->Delete(first));
  EXPECT_EQ(observer.counts[JobState::kRunning], 2);
  EXPECT_EQ(observer.counts[JobState::kQueued], 1);
  EXPECT_EQ(observer.counts[JobState::kSucceeded], 0);
}

TEST_F(JobTableTest, ClaimTellsHowLongTheJobWaited) {
  Submit();
  clock_.Advance(absl::Seconds(42));
  EXPECT_EQ(table_->Claim().value()->queued, absl::Seconds(42));
}

}  // namespace
}  // namespace clm
