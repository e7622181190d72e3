#include "core/eval/bootstrap.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/rng.h"
#include "core/base/units.h"

namespace clm {
namespace {

// The value below which `share` of the sorted values lie.
double Percentile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

absl::Status BootstrapOptions::Validate() const {
  if (resamples < 20 || resamples > 100'000) {
    return absl::InvalidArgumentError(absl::StrCat("resamples is ", resamples, ", must lie in [20, 100000]"));
  }
  if (!(confidence > 0 && confidence < 1)) {
    return absl::InvalidArgumentError(absl::StrCat("confidence is ", confidence, ", must lie inside (0, 1)"));
  }
  return absl::OkStatus();
}

Interval BootstrapBitsPerByte(std::span<const double> nats, std::span<const uint64_t> original_bytes,
                              const BootstrapOptions& options) {
  CLM_CHECK(!nats.empty() && nats.size() == original_bytes.size());
  const size_t units = std::min(nats.size(), kMaxBootstrapUnits);
  std::vector<double> unit_nats(units, 0.0);
  std::vector<uint64_t> unit_bytes(units, 0);
  for (size_t i = 0; i < nats.size(); ++i) {
    unit_nats[i % units] += nats[i];
    unit_bytes[i % units] += original_bytes[i];
  }
  std::vector<double> values;
  values.reserve(options.resamples);
  for (size_t r = 0; r < options.resamples; ++r) {
    CounterRng rng(options.seed, "bootstrap", r);
    double sum_nats = 0;
    uint64_t sum_bytes = 0;
    for (size_t draw = 0; draw < units; ++draw) {
      const uint64_t unit = rng.NextBelow(units);
      sum_nats += unit_nats[unit];
      sum_bytes += unit_bytes[unit];
    }
    if (sum_bytes > 0) values.push_back(BitsPerByte(sum_nats, static_cast<double>(sum_bytes)));
  }
  if (values.empty()) {  // one short document among very many empty ones; nothing to resample
    const auto sum_bytes = std::accumulate(unit_bytes.begin(), unit_bytes.end(), uint64_t{0});
    CLM_CHECK(sum_bytes > 0);
    values.push_back(
        BitsPerByte(std::accumulate(unit_nats.begin(), unit_nats.end(), 0.0), static_cast<double>(sum_bytes)));
  }
  std::sort(values.begin(), values.end());
  const double tail = (1 - options.confidence) / 2;
  return {Percentile(values, tail), Percentile(values, 1 - tail)};
}

Interval BootstrapBitsPerByteDelta(std::span<const double> baseline_nats, std::span<const double> candidate_nats,
                                   std::span<const uint64_t> original_bytes, const BootstrapOptions& options) {
  CLM_CHECK(baseline_nats.size() == candidate_nats.size());
  // Same draws for both and the same denominator: the difference of the ratios is the ratio of the differences.
  std::vector<double> difference(baseline_nats.size());
  for (size_t i = 0; i < difference.size(); ++i) difference[i] = candidate_nats[i] - baseline_nats[i];
  return BootstrapBitsPerByte(difference, original_bytes, options);
}

}  // namespace clm
