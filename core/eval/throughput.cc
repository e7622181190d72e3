#include "core/eval/throughput.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

struct Timing {
  uint64_t bytes = 0;
  double prefill_seconds = 0;
  double decode_seconds = 0;
};

absl::StatusOr<Timing> TimeRun(const DecodeRun& run, const Clock& clock) {
  std::optional<absl::Duration> prefilled;
  const absl::Duration start = clock.Monotonic();
  CLM_ASSIGN_OR_RETURN(const uint64_t bytes, run([&] {
                         if (!prefilled.has_value()) prefilled = clock.Monotonic();
                       }));
  const absl::Duration end = clock.Monotonic();
  if (!prefilled.has_value()) return absl::FailedPreconditionError("the run did not say when its prompt was fed");
  if (bytes == 0) return absl::FailedPreconditionError("the run decoded no bytes");
  if (end <= *prefilled) return absl::FailedPreconditionError("the run took no time on the clock");
  return Timing{bytes, absl::ToDoubleSeconds(*prefilled - start), absl::ToDoubleSeconds(end - *prefilled)};
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

absl::Status CheckRange(absl::string_view field, size_t value, size_t low, size_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, " is ", value, ", must lie in [", low, ", ", high, "]"));
}

}  // namespace

absl::Status ThroughputOptions::Validate() const {
  CLM_RETURN_IF_ERROR(CheckRange("runs", runs, 1, 1'000));
  return CheckRange("warm_up_runs", warm_up_runs, 0, 1'000);
}

absl::StatusOr<Throughput> MeasureDecodedThroughput(const DecodeRun& run, const ThroughputOptions& options,
                                                    const Clock& clock, const CancellationToken& cancel) {
  CLM_RETURN_IF_ERROR(options.Validate());
  Throughput result;
  std::vector<double> prefills;
  for (size_t i = 0; i < options.warm_up_runs + options.runs; ++i) {
    CLM_RETURN_IF_ERROR(cancel.Check());
    CLM_ASSIGN_OR_RETURN(const Timing timing, TimeRun(run, clock));
    if (i < options.warm_up_runs) continue;
    result.bytes_per_second.push_back(static_cast<double>(timing.bytes) / timing.decode_seconds);
    prefills.push_back(timing.prefill_seconds);
    result.decoded_bytes += timing.bytes;
  }
  result.median_bytes_per_second = Median(result.bytes_per_second);
  result.median_prefill_seconds = Median(prefills);
  return result;
}

}  // namespace clm
