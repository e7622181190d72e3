// WatchedGauges: gauges that are read when the page is asked for, not when they change.
//
//   const auto watch = gauges->Watch(kLanesInUse, [&] { return double(engines.lanes_in_use()); });
//
// Thread-safety: thread-safe. A reading function is called by the exposer's threads, and never after its watch has been
// destroyed. It must not touch watches. Several watches of one family add up.
// Ownership: watches may outlive the collector.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "prometheus/collectable.h"
#include "server/metrics/metric_names.h"

namespace clm {

// What ends with its destruction.
class GaugeWatch {
 public:
  virtual ~GaugeWatch() = default;
};

class WatchedGauges final : public prometheus::Collectable, public std::enable_shared_from_this<WatchedGauges> {
 public:
  // Requires a gauge without labels.
  std::unique_ptr<GaugeWatch> Watch(const MetricFamily& family, std::function<double()> read)
      ABSL_LOCKS_EXCLUDED(mutex_);

  std::vector<prometheus::MetricFamily> Collect() const override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Watched = std::pair<const MetricFamily*, std::function<double()>>;
  class Handle;

  mutable absl::Mutex mutex_;
  std::list<Watched> watched_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace clm
