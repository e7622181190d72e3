#include "server/service/artifact_service.h"

namespace clm {

grpc::Status ArtifactServiceImpl::UploadArtifact(grpc::ServerContext* context,
                                                 grpc::ServerReader<v1::UploadArtifactRequest>* reader,
                                                 v1::UploadArtifactResponse* response) {
  return ServeClientStream(
      runtime_, "ArtifactService/UploadArtifact", *context, *reader, *response,
      [&](Call& call, MessageReader<v1::UploadArtifactRequest>& requests) { return handler_.Upload(call, requests); });
}

grpc::Status ArtifactServiceImpl::GetUploadStatus(grpc::ServerContext* context,
                                                  const v1::GetUploadStatusRequest* request,
                                                  v1::GetUploadStatusResponse* response) {
  return ServeUnary(runtime_, "ArtifactService/GetUploadStatus", *context, *response,
                    [&](Call&) { return handler_.UploadStatus(*request); });
}

grpc::Status ArtifactServiceImpl::DownloadArtifact(grpc::ServerContext* context,
                                                   const v1::DownloadArtifactRequest* request,
                                                   grpc::ServerWriter<v1::DownloadArtifactResponse>* writer) {
  return ServeServerStream(runtime_, "ArtifactService/DownloadArtifact", *context, *writer,
                           [&](Call& call, MessageWriter<v1::DownloadArtifactResponse>& responses) {
                             return handler_.Download(call, *request, responses);
                           });
}

grpc::Status ArtifactServiceImpl::ListArtifacts(grpc::ServerContext* context, const v1::ListArtifactsRequest* request,
                                                v1::ListArtifactsResponse* response) {
  return ServeUnary(runtime_, "ArtifactService/ListArtifacts", *context, *response,
                    [&](Call&) { return handler_.List(*request); });
}

grpc::Status ArtifactServiceImpl::GetArtifact(grpc::ServerContext* context, const v1::GetArtifactRequest* request,
                                              v1::Artifact* response) {
  return ServeUnary(runtime_, "ArtifactService/GetArtifact", *context, *response,
                    [&](Call&) { return handler_.Get(request->artifact()); });
}

grpc::Status ArtifactServiceImpl::DeleteArtifact(grpc::ServerContext* context, const v1::DeleteArtifactRequest* request,
                                                 v1::DeleteArtifactResponse* response) {
  return ServeUnary(runtime_, "ArtifactService/DeleteArtifact", *context, *response,
                    [&](Call&) { return handler_.Delete(*request); });
}

grpc::Status ArtifactServiceImpl::PinArtifact(grpc::ServerContext* context, const v1::PinArtifactRequest* request,
                                              v1::Artifact* response) {
  return ServeUnary(runtime_, "ArtifactService/PinArtifact", *context, *response,
                    [&](Call&) { return handler_.Pin(*request); });
}

}  // namespace clm
