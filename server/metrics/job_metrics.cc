#include "server/metrics/job_metrics.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/job/job_request.h"

namespace clm {
namespace {

std::string StateLabel(JobState state) { return absl::AsciiStrToLower(JobStateName(state)); }

std::string KindLabel(v1::JobKind kind) { return std::string(KindName(kind)); }

const double* FindMetric(const v1::JobProgress& progress, absl::string_view name, double& value) {
  for (const v1::Metric& metric : progress.metrics()) {
    if (metric.name() != name) continue;
    value = metric.value();
    return &value;
  }
  return nullptr;
}

// The first digits of "artifacts/checkpoint/<id>", of an id or of a prefix.
std::string ShortId(absl::string_view name) {
  constexpr size_t kShortDigits = 12;
  return std::string(
      name.substr(name.rfind('/') == absl::string_view::npos ? 0 : name.rfind('/') + 1).substr(0, kShortDigits));
}

}  // namespace

void JobMetrics::OnMove(v1::JobKind kind, std::optional<JobState> from, std::optional<JobState> to) {
  if (from.has_value()) metrics_.Add(kJobs, {KindLabel(kind), StateLabel(*from)}, -1);
  if (to.has_value()) metrics_.Add(kJobs, {KindLabel(kind), StateLabel(*to)}, 1);
}

void JobMetrics::OnStart(uint32_t slot, const v1::Job& job, absl::Duration queued) {
  const std::string slot_label = absl::StrCat(slot);
  metrics_.Observe(kJobQueueWait, {KindLabel(job.kind())}, absl::ToDoubleSeconds(queued));
  metrics_.Set(kJobInfo, {slot_label, KindLabel(job.kind()), job.spec().job_id(), job.display_name()}, 1);
  metrics_.Set(kJobProgress, {slot_label, KindLabel(job.kind())}, 0);
  metrics_.Set(kJobLastProgress, {slot_label}, absl::ToDoubleSeconds(clock_.Now() - absl::UnixEpoch()));
  absl::MutexLock lock(&mu_);
  slots_[slot] = SlotTotals();
}

void JobMetrics::OnProgress(uint32_t slot, v1::JobKind kind, const v1::JobProgress& progress) {
  const std::string slot_label = absl::StrCat(slot);
  metrics_.Set(kJobLastProgress, {slot_label}, absl::ToDoubleSeconds(clock_.Now() - absl::UnixEpoch()));
  if (progress.total_units() > 0) {
    const double ratio = static_cast<double>(progress.done_units()) / static_cast<double>(progress.total_units());
    metrics_.Set(kJobProgress, {slot_label, KindLabel(kind)}, std::clamp(ratio, 0.0, 1.0));
  }
  if (kind == v1::JOB_KIND_TRAIN) CountTraining(slot, progress);
}

void JobMetrics::CountTraining(uint32_t slot, const v1::JobProgress& progress) {
  const std::string slot_label = absl::StrCat(slot);
  double value = 0;
  if (FindMetric(progress, "train_loss_nats_per_byte", value) != nullptr && std::isfinite(value)) {
    metrics_.Set(kTrainLoss, {slot_label}, value);
  }
  absl::MutexLock lock(&mu_);
  SlotTotals& totals = slots_[slot];
  if (FindMetric(progress, "original_bytes", value) != nullptr) {
    // A resumed run starts with the bytes of its earlier attempts; those were counted then.
    if (totals.seen && value > totals.original_bytes) {
      metrics_.Add(kTrainOriginalBytes, {slot_label}, value - totals.original_bytes);
    }
    totals.original_bytes = value;
  }
  if (progress.unit() == "steps") {
    const auto steps = static_cast<double>(progress.done_units());
    const absl::Duration now = clock_.Monotonic();
    if (totals.seen && steps > totals.steps) {
      metrics_.Observe(kTrainStep, {slot_label}, absl::ToDoubleSeconds(now - totals.steps_at) / (steps - totals.steps));
    }
    totals.steps = steps;
    totals.steps_at = now;
  }
  totals.seen = true;
}

void JobMetrics::OnStop(uint32_t slot, const v1::Job& job) {
  const std::string slot_label = absl::StrCat(slot);
  metrics_.Remove(kJobInfo, {slot_label, KindLabel(job.kind()), job.spec().job_id(), job.display_name()});
  metrics_.Remove(kJobProgress, {slot_label, KindLabel(job.kind())});
  metrics_.Remove(kJobLastProgress, {slot_label});
  metrics_.Remove(kTrainLoss, {slot_label});
  if (job.result().has_evaluate()) CountEvaluation(job);
}

void JobMetrics::CountEvaluation(const v1::Job& job) {
  const v1::EvaluateResult& result = job.result().evaluate();
  const v1::EvaluateSpec& spec = job.spec().evaluate();
  std::string split = spec.split().empty() ? "validation" : spec.split();
  if (spec.has_source()) split = "external";
  const double bytes = static_cast<double>(result.original_bytes());
  metrics_.Add(kEvalBits, {result.representation(), split}, result.bits_per_byte().value() * bytes);
  metrics_.Add(kEvalOriginalBytes, {result.representation(), split}, bytes);
  const LabelValues series = {ShortId(spec.checkpoint()), result.representation(), split};
  metrics_.Set(kEvalBitsPerByte, series, result.bits_per_byte().value());
  absl::MutexLock lock(&mu_);
  evaluations_.erase(std::remove(evaluations_.begin(), evaluations_.end(), series), evaluations_.end());
  evaluations_.push_back(series);
  if (evaluations_.size() <= kMaxEvaluations) return;
  metrics_.Remove(kEvalBitsPerByte, evaluations_.front());
  evaluations_.pop_front();
}

}  // namespace clm
