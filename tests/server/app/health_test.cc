#include "server/health.h"

#include <map>
#include <string>

#include "gtest/gtest.h"

namespace clm {
namespace {

class RecordingHealthService final : public grpc::HealthCheckServiceInterface {
 public:
  void SetServingStatus(const std::string& name, bool serving) override { statuses[name] = serving; }
  void SetServingStatus(bool serving) override {
    for (auto& [name, status] : statuses) status = serving;
  }
  std::map<std::string, bool> statuses;
};

TEST(HealthReporterTest, DrainingServerIsAliveButNotReady) {
  RecordingHealthService service;
  HealthReporter reporter(&service, {"clm.v1.JobService"});
  reporter.SetReady();
  EXPECT_EQ(service.statuses,
            (std::map<std::string, bool>{{"", true}, {"clm.v1.JobService", true}, {"liveness", true}}));
  reporter.SetDraining();
  EXPECT_EQ(service.statuses,
            (std::map<std::string, bool>{{"", false}, {"clm.v1.JobService", false}, {"liveness", true}}));
}

}  // namespace
}  // namespace clm
