// clm_server with fake operations, for tests that need it as a process.
#include "server/run_server.h"
#include "tests/server/service/fake_operations.h"

int main(int argc, char** argv) {
  clm::ServerParts parts;
  parts.make_operations = [](const clm::v1::ServerConfig&, clm::ArtifactStore&,
                             clm::Metrics&) -> absl::StatusOr<std::unique_ptr<clm::Operations>> {
    return std::make_unique<clm::testing::FakeOperations>();
  };
  parts.make_spec_check = [](const clm::v1::ServerConfig&, clm::ArtifactStore&) -> clm::JobSpecCheck {
    return [](const clm::v1::JobSpec&) { return absl::OkStatus(); };
  };
  return clm::RunServer(argc, argv, parts);
}
