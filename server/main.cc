// clm_server: the service, bound to core/pipeline.
#include "server/convert/pipeline_operations.h"
#include "server/run_server.h"

int main(int argc, char** argv) {
  clm::ServerParts parts;
  parts.make_operations = clm::MakePipelineOperations;
  parts.make_spec_check = clm::MakeJobSpecCheck;
  return clm::RunServer(argc, argv, parts);
}
