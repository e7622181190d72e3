// MetricsExposer: the HTTP endpoint /metrics for Prometheus.
//
// Thread-safety: thread-safe. Serves from construction to destruction on two threads of its own.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/metrics/metrics.h"

namespace prometheus {
class Exposer;
}

namespace clm {

class MetricsExposer {
 public:
  // `address`: "host:port"; port 0 takes a free one. UNAVAILABLE naming the address when it cannot be bound.
  // `metrics` outlives the exposer.
  static absl::StatusOr<std::unique_ptr<MetricsExposer>> Start(const std::string& address, const Metrics& metrics);
  ~MetricsExposer();

  int port() const;

 private:
  explicit MetricsExposer(std::unique_ptr<prometheus::Exposer> exposer);

  std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace clm
