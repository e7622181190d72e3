// What ArtifactService's calls do, without gRPC.
//
// Artifacts are named by "artifacts/{kind}/{id}", an id, or at least 8 digits of it.
// Thread-safety: thread-safe. Ownership: what it is made with outlives it.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clm/v1/artifact.pb.h"
#include "core/artifact/artifact_store.h"
#include "core/artifact/upload_session.h"
#include "server/job/job_table.h"
#include "server/metrics/metrics.h"
#include "server/service/call.h"
#include "server/service/streams.h"

namespace clm {

v1::ArtifactKind ToProto(ArtifactKind kind);
// The description of an artifact; `pins` are the labels of its pins.
v1::Artifact ToProto(const Manifest& manifest, const std::vector<std::string>& pins);

// Sets clm_artifact_bytes. Errors are logged.
void MeasureArtifacts(ArtifactStore& store, Metrics& metrics);

class ArtifactHandler {
 public:
  ArtifactHandler(ArtifactStore& store, UploadSessions& uploads, JobTable& jobs, Metrics& metrics)
      : store_(store), uploads_(uploads), jobs_(jobs), metrics_(metrics) {}

  // A stream that ends without `finish` is INVALID_ARGUMENT with reason UPLOAD_UNFINISHED; however a stream ends before
  // `finish`, what came is kept and the upload can go on.
  absl::StatusOr<v1::UploadArtifactResponse> Upload(const Call& call, MessageReader<v1::UploadArtifactRequest>& reader);
  absl::StatusOr<v1::GetUploadStatusResponse> UploadStatus(const v1::GetUploadStatusRequest& request);
  // The digest is checked while a whole file is sent: damage is DATA_LOSS at its end, at the latest.
  absl::Status Download(const Call& call, const v1::DownloadArtifactRequest& request,
                        MessageWriter<v1::DownloadArtifactResponse>& writer);
  absl::StatusOr<v1::ListArtifactsResponse> List(const v1::ListArtifactsRequest& request);
  absl::StatusOr<v1::Artifact> Get(const std::string& name);
  // FAILED_PRECONDITION also while an unfinished job reads the artifact.
  absl::StatusOr<v1::DeleteArtifactResponse> Delete(const v1::DeleteArtifactRequest& request);
  absl::StatusOr<v1::Artifact> Pin(const v1::PinArtifactRequest& request);

 private:
  absl::StatusOr<v1::Artifact> Describe(const Manifest& manifest);
  absl::StatusOr<ArtifactId> Receive(const Call& call, MessageReader<v1::UploadArtifactRequest>& reader,
                                     const v1::UploadArtifactRequest::Start& start, UploadSession& session);
  absl::Status SendFile(const Call& call, const ArtifactId& id, const ManifestFile& file, uint64_t offset,
                        MessageWriter<v1::DownloadArtifactResponse>& writer);

  ArtifactStore& store_;
  UploadSessions& uploads_;
  JobTable& jobs_;
  Metrics& metrics_;
};

}  // namespace clm
