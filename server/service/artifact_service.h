// ArtifactServiceImpl: clm.v1.ArtifactService over ArtifactHandler.
//
// Thread-safety: thread-safe. Ownership: everything given outlives it.
#pragma once

#include "clm/v1/artifact.grpc.pb.h"
#include "server/service/artifact_handler.h"
#include "server/service/serve.h"

namespace clm {

class ArtifactServiceImpl final : public v1::ArtifactService::Service {
 public:
  ArtifactServiceImpl(const CallRuntime& runtime, ArtifactHandler& handler) : runtime_(runtime), handler_(handler) {}

  grpc::Status UploadArtifact(grpc::ServerContext* context, grpc::ServerReader<v1::UploadArtifactRequest>* reader,
                              v1::UploadArtifactResponse* response) override;
  grpc::Status GetUploadStatus(grpc::ServerContext* context, const v1::GetUploadStatusRequest* request,
                               v1::GetUploadStatusResponse* response) override;
  grpc::Status DownloadArtifact(grpc::ServerContext* context, const v1::DownloadArtifactRequest* request,
                                grpc::ServerWriter<v1::DownloadArtifactResponse>* writer) override;
  grpc::Status ListArtifacts(grpc::ServerContext* context, const v1::ListArtifactsRequest* request,
                             v1::ListArtifactsResponse* response) override;
  grpc::Status GetArtifact(grpc::ServerContext* context, const v1::GetArtifactRequest* request,
                           v1::Artifact* response) override;
  grpc::Status DeleteArtifact(grpc::ServerContext* context, const v1::DeleteArtifactRequest* request,
                              v1::DeleteArtifactResponse* response) override;
  grpc::Status PinArtifact(grpc::ServerContext* context, const v1::PinArtifactRequest* request,
                           v1::Artifact* response) override;

 private:
  const CallRuntime& runtime_;
  ArtifactHandler& handler_;
};

}  // namespace clm
