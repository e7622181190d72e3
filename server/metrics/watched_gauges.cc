#include "server/metrics/watched_gauges.h"

#include <map>

#include "core/base/check.h"
#include "prometheus/metric_family.h"

namespace clm {

class WatchedGauges::Handle final : public GaugeWatch {
 public:
  Handle(std::shared_ptr<WatchedGauges> gauges, std::list<Watched>::iterator at)
      : gauges_(std::move(gauges)), at_(at) {}
  ~Handle() override {
    absl::MutexLock lock(&gauges_->mutex_);
    gauges_->watched_.erase(at_);
  }

 private:
  const std::shared_ptr<WatchedGauges> gauges_;
  const std::list<Watched>::iterator at_;
};

std::unique_ptr<GaugeWatch> WatchedGauges::Watch(const MetricFamily& family, std::function<double()> read) {
  CLM_CHECK(family.type == MetricType::kGauge && *family.labels == '\0');
  absl::MutexLock lock(&mutex_);
  watched_.emplace_front(&family, std::move(read));
  return std::make_unique<Handle>(shared_from_this(), watched_.begin());
}

std::vector<prometheus::MetricFamily> WatchedGauges::Collect() const {
  std::map<const MetricFamily*, double> values;
  {
    absl::MutexLock lock(&mutex_);
    for (const Watched& watched : watched_) values[watched.first] += watched.second();
  }
  std::vector<prometheus::MetricFamily> families;
  for (const auto& [family, value] : values) {
    prometheus::MetricFamily& added = families.emplace_back();
    added.name = family->name;
    added.help = family->help;
    added.type = prometheus::MetricType::Gauge;
    added.metric.emplace_back().gauge.value = value;
  }
  return families;
}

}  // namespace clm
