#include "server/metrics/job_metrics.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class JobMetricsTest : public ::testing::Test {
 protected:
  static v1::Job TrainJob() {
    v1::Job job;
    job.set_kind(v1::JOB_KIND_TRAIN);
    job.mutable_spec()->set_job_id("train-7");
    job.set_display_name("baseline");
    return job;
  }

  static v1::JobProgress Progress(uint64_t steps, double loss, double bytes) {
    v1::JobProgress progress;
    progress.set_unit("steps");
    progress.set_done_units(steps);
    progress.set_total_units(100);
    auto& loss_metric = *progress.add_metrics();
    loss_metric.set_name("train_loss_nats_per_byte");
    loss_metric.set_value(loss);
    auto& bytes_metric = *progress.add_metrics();
    bytes_metric.set_name("original_bytes");
    bytes_metric.set_value(bytes);
    return progress;
  }

  static v1::Job Evaluation(const std::string& checkpoint) {
    v1::Job job;
    job.set_kind(v1::JOB_KIND_EVALUATE);
    job.mutable_spec()->mutable_evaluate()->set_checkpoint(checkpoint);
    auto& result = *job.mutable_result()->mutable_evaluate();
    result.set_representation("token");
    result.set_original_bytes(1000);
    result.mutable_bits_per_byte()->set_value(2.5);
    return job;
  }

  FakeClock clock_;
  Metrics metrics_;
  JobMetrics jobs_{metrics_, clock_};
};

TEST_F(JobMetricsTest, JobsAreCountedByKindAndState) {
  jobs_.OnMove(v1::JOB_KIND_TRAIN, std::nullopt, JobState::kQueued);
  jobs_.OnMove(v1::JOB_KIND_TRAIN, std::nullopt, JobState::kQueued);
  jobs_.OnMove(v1::JOB_KIND_TRAIN, JobState::kQueued, JobState::kRunning);
  EXPECT_THAT(metrics_.Expose(), HasSubstr("clm_jobs{kind=\"train\",state=\"queued\"} 1"));
  EXPECT_THAT(metrics_.Expose(), HasSubstr("clm_jobs{kind=\"train\",state=\"running\"} 1"));
}

TEST_F(JobMetricsTest, SeriesOfASlotLiveAsLongAsItsJob) {
  jobs_.OnStart(0, TrainJob(), absl::Seconds(5));
  jobs_.OnProgress(0, v1::JOB_KIND_TRAIN, Progress(25, 1.5, 100));
  EXPECT_THAT(metrics_.Expose(), HasSubstr("clm_job_progress_ratio{kind=\"train\",slot=\"0\"} 0.25"));
  EXPECT_THAT(metrics_.Expose(), HasSubstr("clm_train_loss_nats_per_byte{slot=\"0\"} 1.5"));
  EXPECT_THAT(metrics_.Expose(), HasSubstr("train-7"));
  EXPECT_THAT(metrics_.Expose(), HasSubstr("clm_job_queue_wait_seconds_sum{kind=\"train\"} 5"));
  jobs_.OnStop(0, TrainJob());
  EXPECT_THAT(metrics_.Expose(), Not(HasSubstr("train-7")));
  EXPECT_THAT(metrics_.Expose(), Not(HasSubstr("clm_job_progress_ratio{")));
  EXPECT_THAT(metrics_.Expose(), Not(HasSubstr("clm_train_loss_nats_per_byte{")));
}

TEST_F(JobMetricsTest, TrainingBytesAndStepsGrowByDifferences) {
  jobs_.OnStart(0, TrainJob(), absl::ZeroDuration());
  jobs_.OnProgress(0, v1::JOB_KIND_TRAIN, Progress(10, 1.5, 1000));  // what an earlier attempt did
  clock_.Advance(absl::Seconds(4));
  jobs_.OnProgress(0, v1::JOB_KIND_TRAIN, Progress(12, 1.4, 1200));
  EXPECT_THAT(metrics_.Expose(), HasSubstr("clm_train_original_bytes_total{slot=\"0\"} 200"));
  EXPECT_THAT(metrics_.Expose(), HasSubstr("clm_train_step_seconds_sum{slot=\"0\"} 2"));
  EXPECT_THAT(metrics_.Expose(), HasSubstr("clm_train_step_seconds_count{slot=\"0\"} 1"));
}

TEST_F(JobMetricsTest, BitsAndBytesOfEvaluationsGiveBitsPerByte) {
  jobs_.OnStop(0, Evaluation("artifacts/checkpoint/9f86d081884c7d659a2f"));
  EXPECT_THAT(metrics_.Expose(), HasSubstr("clm_eval_bits_total{representation=\"token\",split=\"validation\"} 2500"));
  EXPECT_THAT(metrics_.Expose(),
              HasSubstr("clm_eval_original_bytes_total{representation=\"token\",split=\"validation\"} 1000"));
  EXPECT_THAT(metrics_.Expose(),
              HasSubstr("{checkpoint=\"9f86d081884c\",representation=\"token\",split=\"validation\"} 2.5"));
}

TEST_F(JobMetricsTest, OnlyTheLastEvaluationsKeepAGauge) {
  for (size_t i = 0; i <= JobMetrics::kMaxEvaluations; ++i) jobs_.OnStop(0, Evaluation(absl::StrCat("checkpoint", i)));
  EXPECT_THAT(metrics_.Expose(), Not(HasSubstr("checkpoint=\"checkpoint0\"")));
  EXPECT_THAT(metrics_.Expose(), HasSubstr("checkpoint=\"checkpoint1\""));
  EXPECT_THAT(metrics_.Expose(), HasSubstr("checkpoint=\"checkpoint64\""));
}

}  // namespace
}  // namespace clm
