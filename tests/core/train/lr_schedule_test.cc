#include "core/train/lr_schedule.h"

#include <gtest/gtest.h>

namespace clm {
namespace {

TrainConfig Config(LrScheduleKind kind) {
  TrainConfig config;
  config.steps = 101;
  config.learning_rate = 1.0;
  config.warmup_steps = 11;
  config.final_ratio = 0.1;
  config.schedule = kind;
  return config;
}

TEST(LrScheduleTest, WarmUpRisesLinearlyToThePeak) {
  const LrSchedule schedule(Config(LrScheduleKind::kCosine));
  EXPECT_DOUBLE_EQ(schedule.At(0), 1.0 / 11);
  EXPECT_DOUBLE_EQ(schedule.At(4), 5.0 / 11);
  EXPECT_DOUBLE_EQ(schedule.At(10), 1.0);
}

TEST(LrScheduleTest, CosineIsHalfWayInTheMiddleAndEndsAtTheFloor) {
  const LrSchedule schedule(Config(LrScheduleKind::kCosine));
  EXPECT_NEAR(schedule.At(55), 0.55, 1e-12);  // half of the way from step 10 to step 100
  EXPECT_NEAR(schedule.At(100), 0.1, 1e-12);
  for (uint64_t step = 11; step <= 100; ++step) EXPECT_LT(schedule.At(step), schedule.At(step - 1));
}

TEST(LrScheduleTest, WsdIsFlatThenFallsLinearly) {
  TrainConfig config = Config(LrScheduleKind::kWsd);
  config.decay_fraction = 20.0 / 101;  // the last 20 steps
  const LrSchedule schedule(config);
  EXPECT_DOUBLE_EQ(schedule.At(10), 1.0);
  EXPECT_DOUBLE_EQ(schedule.At(80), 1.0);
  EXPECT_NEAR(schedule.At(90), 0.55, 1e-12);
  EXPECT_NEAR(schedule.At(100), 0.1, 1e-12);
}

TEST(LrScheduleTest, ShortRunsStayInRange) {
  for (const LrScheduleKind kind : {LrScheduleKind::kCosine, LrScheduleKind::kWsd}) {
    TrainConfig config = Config(kind);
    for (const uint64_t steps : {1U, 2U, 11U, 12U}) {
      config.steps = steps;
      for (uint64_t step = 0; step < steps; ++step) {
        EXPECT_GT(LrSchedule(config).At(step), 0) << steps;
        EXPECT_LE(LrSchedule(config).At(step), 1) << steps;
      }
    }
    config.warmup_steps = 0;
    config.steps = 2;
    EXPECT_DOUBLE_EQ(LrSchedule(config).At(0), 1.0);
    EXPECT_NEAR(LrSchedule(config).At(1), 0.1, 1e-12);
  }
}

}  // namespace
}  // namespace clm
