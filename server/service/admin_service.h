// AdminServiceImpl: clm.v1.AdminService.
//
// Thread-safety: thread-safe. Ownership: everything given outlives it.
#pragma once

#include <utility>

#include "clm/v1/server_config.pb.h"
#include "clm/v1/service.grpc.pb.h"
#include "server/service/operations.h"
#include "server/service/serve.h"

namespace clm {

// What `operations` can do, with the limits of `config` and the version of this build.
v1::Capabilities CapabilitiesOf(const v1::ServerConfig& config, Operations& operations);

class AdminServiceImpl final : public v1::AdminService::Service {
 public:
  AdminServiceImpl(const CallRuntime& runtime, v1::Capabilities capabilities)
      : runtime_(runtime), capabilities_(std::move(capabilities)) {}

  grpc::Status GetCapabilities(grpc::ServerContext* context, const v1::GetCapabilitiesRequest* request,
                               v1::Capabilities* response) override;

 private:
  const CallRuntime& runtime_;
  const v1::Capabilities capabilities_;
};

}  // namespace clm
