// ProcessCollector: the process_* families, read from /proc/self when Prometheus asks.
//
// What cannot be read is left out. Thread-safety: thread-safe.
#pragma once

#include <vector>

#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"

namespace clm {

class ProcessCollector final : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace clm
