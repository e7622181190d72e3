// Metrics: everything the service counts, in one registry.
//
//   metrics.Add(kOriginalBytes, {"compress", "byte"}, 4096);
//   metrics.Set(kModelsLoaded, {"cpu"}, 2);
//   metrics.Observe(kCallDuration, {"JobService/GetJob", "OK"}, seconds);
//   metrics.Remove(kModelResidentBytes, {"9f86d081884c", "cpu"});
//   const auto watch = metrics.Watch(kLanesInUse, [&] { return lanes(); });   // as long as `watch` lives
//
// Label values come in the order of the family's label names. A family is counted by the verb of its type (Add for
// counters, Set and Add for gauges, Observe for histograms); anything else is a bug of ours and stops the process.
// Thread-safety: thread-safe. Cost: one lookup of the series, below a microsecond; per call or step, not per byte.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "prometheus/collectable.h"
#include "prometheus/family.h"
#include "prometheus/registry.h"
#include "server/metrics/metric_names.h"
#include "server/metrics/watched_gauges.h"

namespace clm {

using LabelValues = std::vector<std::string>;

class Metrics {
 public:
  Metrics();

  // `amount` >= 0 for counters.
  void Add(const MetricFamily& family, const LabelValues& labels, double amount = 1);
  void Set(const MetricFamily& family, const LabelValues& labels, double value);
  void Observe(const MetricFamily& family, const LabelValues& labels, double value);
  // The series vanishes from /metrics. No effect when there is none.
  void Remove(const MetricFamily& family, const LabelValues& labels);

  // A gauge without labels that is read when somebody asks: see watched_gauges.h.
  std::unique_ptr<GaugeWatch> Watch(const MetricFamily& family, std::function<double()> read) {
    return watched_->Watch(family, std::move(read));
  }

  // The registry, watched gauges and the process's own figures, for an exposer.
  std::vector<std::shared_ptr<prometheus::Collectable>> Collectables() const;
  // What /metrics would answer now.
  std::string Expose() const;

 private:
  struct Families {
    std::map<absl::string_view, prometheus::Family<prometheus::Counter>*> counters;
    std::map<absl::string_view, prometheus::Family<prometheus::Gauge>*> gauges;
    std::map<absl::string_view, prometheus::Family<prometheus::Histogram>*> histograms;
  };

  prometheus::Gauge& GaugeOf(const MetricFamily& family, const LabelValues& labels);

  const std::shared_ptr<prometheus::Registry> registry_;
  const std::shared_ptr<prometheus::Collectable> process_;
  const std::shared_ptr<WatchedGauges> watched_;
  Families families_;  // constant after construction
  // Keeps Remove() from deleting a series that another thread is about to change.
  absl::Mutex mu_;
};

}  // namespace clm
