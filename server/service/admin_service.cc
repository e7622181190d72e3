#include "server/service/admin_service.h"

#include "core/base/thread_pool.h"
#include "server/config/version.h"
#include "server/service/generate_handler.h"

namespace clm {

v1::Capabilities CapabilitiesOf(const v1::ServerConfig& config, Operations& operations) {
  v1::Capabilities capabilities = operations.Describe();
  capabilities.set_version(Version());
  capabilities.set_commit(Commit());
  capabilities.set_max_message_bytes(config.max_message_bytes());
  capabilities.set_max_upload_bytes(config.max_upload_bytes());
  capabilities.set_max_prompt_bytes(kMaxPromptBytes);
  capabilities.set_max_queued_jobs(config.max_queued_jobs());
  capabilities.set_max_running_jobs(config.max_running_jobs());
  capabilities.set_max_concurrent_calls(config.max_concurrent_calls());
  capabilities.set_processors(static_cast<uint32_t>(AvailableThreads()));
  return capabilities;
}

grpc::Status AdminServiceImpl::GetCapabilities(grpc::ServerContext* context, const v1::GetCapabilitiesRequest*,
                                               v1::Capabilities* response) {
  return ServeUnary(runtime_, "AdminService/GetCapabilities", *context, *response,
                    [&](Call&) -> absl::StatusOr<v1::Capabilities> { return capabilities_; });
}

}  // namespace clm
