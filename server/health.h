// HealthReporter: what grpc.health.v1.Health says about this server.
//
//   ""                          SERVING when calls are accepted; readiness
//   "liveness"                  SERVING as long as the process can answer at all, while it drains too
//   "clm.v1.<Service>"          SERVING like ""
//
// Any other name is NOT_FOUND. Thread-safety: thread-safe. Ownership: the gRPC server owns the service behind it.
#pragma once

#include <grpcpp/health_check_service_interface.h>

#include <string>
#include <utility>
#include <vector>

namespace clm {

class HealthReporter {
 public:
  // `service` may not be null; `service_names` are full names such as "clm.v1.JobService".
  HealthReporter(grpc::HealthCheckServiceInterface* service, std::vector<std::string> service_names)
      : service_(service), service_names_(std::move(service_names)) {}

  void SetReady();
  void SetDraining();

 private:
  void Set(bool serving);

  grpc::HealthCheckServiceInterface* const service_;
  const std::vector<std::string> service_names_;
};

}  // namespace clm
