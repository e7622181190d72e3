// ModelServiceImpl: clm.v1.ModelService over Operations.
//
// Thread-safety: thread-safe. Ownership: everything given outlives it.
#pragma once

#include "clm/v1/service.grpc.pb.h"
#include "server/service/operations.h"
#include "server/service/serve.h"

namespace clm {

class ModelServiceImpl final : public v1::ModelService::Service {
 public:
  ModelServiceImpl(const CallRuntime& runtime, Operations& operations) : runtime_(runtime), operations_(operations) {}

  grpc::Status LoadModel(grpc::ServerContext* context, const v1::LoadModelRequest* request,
                         v1::Model* response) override;
  grpc::Status UnloadModel(grpc::ServerContext* context, const v1::UnloadModelRequest* request,
                           v1::UnloadModelResponse* response) override;
  grpc::Status ListModels(grpc::ServerContext* context, const v1::ListModelsRequest* request,
                          v1::ListModelsResponse* response) override;

 private:
  const CallRuntime& runtime_;
  Operations& operations_;
};

}  // namespace clm
