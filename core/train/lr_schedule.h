// LrSchedule: the learning rate of each step. A value type, pure function of the config.
#pragma once

#include <cstdint>

#include "core/train/train_config.h"

namespace clm {

class LrSchedule {
 public:
  // Requires a valid config.
  explicit LrSchedule(const TrainConfig& config) : config_(config), total_(config.total_steps()) {}

  // Of step `step`, 0-based. Warm-up rises linearly and reaches the peak at step warmup_steps - 1; the last step has
  // the peak times final_ratio.
  double At(uint64_t step) const;

 private:
  TrainConfig config_;
  uint64_t total_;
};

}  // namespace clm
