#include "core/train/lr_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace clm {
namespace {

// Where `step` stands between `begin` (0) and `end` (1).
double Fraction(double step, double begin, double end) {
  if (end <= begin) return 1.0;
  return std::clamp((step - begin) / (end - begin), 0.0, 1.0);
}

}  // namespace

double LrSchedule::At(uint64_t step) const {
  const double peak = config_.learning_rate;
  const auto warmup = static_cast<double>(config_.warmup_steps);
  const auto at = static_cast<double>(step);
  if (at + 1 < warmup) return peak * (at + 1) / warmup;
  const auto last = static_cast<double>(total_ - 1);
  const double floor = config_.final_ratio;
  if (config_.schedule == LrScheduleKind::kCosine) {
    const double fraction = Fraction(at, std::max(0.0, warmup - 1), last);
    return peak * (floor + (1 - floor) * 0.5 * (1 + std::cos(std::numbers::pi * fraction)));
  }
  const double decay_begin = last - config_.decay_fraction * static_cast<double>(total_);
  return peak * (1 - (1 - floor) * Fraction(at, std::max(decay_begin, warmup - 1), last));
}

}  // namespace clm
