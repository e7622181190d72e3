#include "server/metrics/metrics.h"

#include <utility>

#include "absl/strings/str_split.h"
#include "core/base/check.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/text_serializer.h"
#include "server/metrics/process_collector.h"

namespace clm {
namespace {

prometheus::Histogram::BucketBoundaries BucketsOf(const MetricFamily& family) {
  const absl::string_view name = family.name;
  if (name == kJobQueueWait.name) return {0.01, 0.04, 0.16, 0.64, 2.56, 10, 40, 160, 640, 3600};
  if (name == kTrainStep.name) return {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 60};
  if (name == kInterSymbol.name) return {0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1};
  if (name == kJournalFsync.name) return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5};
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
}

bool BelongsToProcess(const MetricFamily& family) { return absl::string_view(family.name).substr(0, 8) == "process_"; }

prometheus::Labels LabelsOf(const MetricFamily& family, const LabelValues& values) {
  prometheus::Labels labels;
  if (*family.labels == '\0') {
    CLM_CHECK(values.empty());
    return labels;
  }
  size_t next = 0;
  for (const absl::string_view name : absl::StrSplit(family.labels, ',')) {
    CLM_CHECK(next < values.size());
    labels.emplace(std::string(name), values[next++]);
  }
  CLM_CHECK(next == values.size());
  return labels;
}

template <typename Type>
prometheus::Family<Type>& Find(const std::map<absl::string_view, prometheus::Family<Type>*>& families,
                               const MetricFamily& family) {
  const auto found = families.find(family.name);
  CLM_CHECK(found != families.end());
  return *found->second;
}

}  // namespace

Metrics::Metrics()
    : registry_(std::make_shared<prometheus::Registry>()),
      process_(std::make_shared<ProcessCollector>()),
      watched_(std::make_shared<WatchedGauges>()) {
  for (const MetricFamily* family : AllMetricFamilies()) {
    if (BelongsToProcess(*family)) continue;
    switch (family->type) {
      case MetricType::kCounter:
        families_.counters[family->name] =
            &prometheus::BuildCounter().Name(family->name).Help(family->help).Register(*registry_);
        break;
      case MetricType::kGauge:
        families_.gauges[family->name] =
            &prometheus::BuildGauge().Name(family->name).Help(family->help).Register(*registry_);
        break;
      case MetricType::kHistogram:
        families_.histograms[family->name] =
            &prometheus::BuildHistogram().Name(family->name).Help(family->help).Register(*registry_);
        break;
    }
  }
}

prometheus::Gauge& Metrics::GaugeOf(const MetricFamily& family, const LabelValues& labels) {
  return Find(families_.gauges, family).Add(LabelsOf(family, labels));
}

void Metrics::Add(const MetricFamily& family, const LabelValues& labels, double amount) {
  absl::ReaderMutexLock lock(&mu_);
  if (family.type == MetricType::kGauge) {
    GaugeOf(family, labels).Increment(amount);
  } else {
    Find(families_.counters, family).Add(LabelsOf(family, labels)).Increment(amount);
  }
}

void Metrics::Set(const MetricFamily& family, const LabelValues& labels, double value) {
  absl::ReaderMutexLock lock(&mu_);
  GaugeOf(family, labels).Set(value);
}

void Metrics::Observe(const MetricFamily& family, const LabelValues& labels, double value) {
  absl::ReaderMutexLock lock(&mu_);
  Find(families_.histograms, family).Add(LabelsOf(family, labels), BucketsOf(family)).Observe(value);
}

void Metrics::Remove(const MetricFamily& family, const LabelValues& labels) {
  absl::MutexLock lock(&mu_);
  const prometheus::Labels wanted = LabelsOf(family, labels);
  const auto remove_from = [&](auto& metric_family) {
    // Add() finds the series or makes it; both are gone afterwards.
    if (metric_family.Has(wanted)) metric_family.Remove(&metric_family.Add(wanted));
  };
  if (family.type == MetricType::kGauge) remove_from(Find(families_.gauges, family));
  if (family.type == MetricType::kCounter) remove_from(Find(families_.counters, family));
}

std::vector<std::shared_ptr<prometheus::Collectable>> Metrics::Collectables() const {
  return {registry_, watched_, process_};
}

std::string Metrics::Expose() const {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& collectable : Collectables()) {
    for (prometheus::MetricFamily& family : collectable->Collect()) families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace clm
