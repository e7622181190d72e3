#include "server/service/model_service.h"

#include <utility>

#include "server/service/error_detail.h"

namespace clm {

grpc::Status ModelServiceImpl::LoadModel(grpc::ServerContext* context, const v1::LoadModelRequest* request,
                                         v1::Model* response) {
  return ServeUnary(runtime_, "ModelService/LoadModel", *context, *response,
                    [&](Call& call) -> absl::StatusOr<v1::Model> {
                      if (request->checkpoint().empty()) return InvalidField("checkpoint", "is required");
                      return operations_.LoadModel(*request, call.cancel());
                    });
}

grpc::Status ModelServiceImpl::UnloadModel(grpc::ServerContext* context, const v1::UnloadModelRequest* request,
                                           v1::UnloadModelResponse* response) {
  return ServeUnary(runtime_, "ModelService/UnloadModel", *context, *response,
                    [&](Call&) -> absl::StatusOr<v1::UnloadModelResponse> {
                      if (request->checkpoint().empty()) return InvalidField("checkpoint", "is required");
                      return operations_.UnloadModel(*request);
                    });
}

grpc::Status ModelServiceImpl::ListModels(grpc::ServerContext* context, const v1::ListModelsRequest*,
                                          v1::ListModelsResponse* response) {
  return ServeUnary(runtime_, "ModelService/ListModels", *context, *response,
                    [&](Call&) -> absl::StatusOr<v1::ListModelsResponse> {
                      v1::ListModelsResponse models;
                      for (v1::Model& model : operations_.ListModels()) *models.add_models() = std::move(model);
                      return models;
                    });
}

}  // namespace clm
