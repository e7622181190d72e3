// A registry with one series of every family, as a busy server would have.
#pragma once

#include "absl/strings/str_split.h"
#include "server/metrics/metrics.h"

namespace clm::testing {

// One label value, "x", for each label of `family`.
inline LabelValues AnyLabels(const MetricFamily& family) {
  if (*family.labels == '\0') return {};
  const std::vector<std::string> names = absl::StrSplit(family.labels, ',');
  return LabelValues(names.size(), "x");
}

inline void TouchEverySeries(Metrics& metrics) {
  for (const MetricFamily* family : AllMetricFamilies()) {
    if (std::string(family->name).rfind("process_", 0) == 0) continue;
    switch (family->type) {
      case MetricType::kCounter:
        metrics.Add(*family, AnyLabels(*family), 1);
        break;
      case MetricType::kGauge:
        metrics.Set(*family, AnyLabels(*family), 1);
        break;
      case MetricType::kHistogram:
        metrics.Observe(*family, AnyLabels(*family), 0.5);
        break;
    }
  }
}

}  // namespace clm::testing
