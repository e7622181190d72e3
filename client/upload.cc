#include "client/upload.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/files.h"
#include "client/render.h"
#include "clm/v1/artifact.grpc.pb.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"

namespace clm::client {
namespace {

constexpr size_t kChunkBytes = 256 << 10;

struct LocalFile {
  std::string path;
  std::string name;
  std::string sha256;
  uint64_t size_bytes = 0;

  std::string UploadId() const { return absl::StrCat("up-", Sha256Hex(absl::StrCat(sha256, "/", name)).substr(0, 40)); }
};

absl::StatusOr<LocalFile> Describe(const std::string& path) {
  LocalFile file;
  file.path = path;
  file.name = IdOf(path);
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Input> input, Input::Open(path));
  Sha256 digest;
  while (true) {
    CLM_ASSIGN_OR_RETURN(const std::string data, input->Read(kChunkBytes));
    if (data.empty()) break;
    digest.Update(data);
    file.size_bytes += data.size();
  }
  file.sha256 = ToHex(digest.Finish());
  return file;
}

absl::StatusOr<std::optional<v1::Artifact>> FindBlob(Session& session, v1::ArtifactService::Stub& stub,
                                                     const LocalFile& file) {
  v1::ListArtifactsRequest request;
  request.set_kind(v1::ARTIFACT_KIND_BLOB);
  request.set_page_size(1000);
  while (true) {
    v1::ListArtifactsResponse response;
    const auto context = session.UnaryContext();
    CLM_RETURN_IF_ERROR(ToAbsl(stub.ListArtifacts(context.get(), request, &response)));
    for (const v1::Artifact& artifact : response.artifacts()) {
      if (artifact.files_size() == 1 && artifact.files(0).sha256() == file.sha256 &&
          artifact.files(0).name() == file.name) {
        return artifact;
      }
    }
    if (response.next_page_token().empty()) return std::nullopt;
    request.set_page_token(response.next_page_token());
  }
}

// Where an earlier, broken upload of the same file stopped; 0 when there was none.
absl::StatusOr<uint64_t> CommittedBytes(Session& session, v1::ArtifactService::Stub& stub, const LocalFile& file) {
  v1::GetUploadStatusRequest request;
  request.set_upload_id(file.UploadId());
  v1::GetUploadStatusResponse response;
  const auto context = session.UnaryContext();
  const absl::Status status = ToAbsl(stub.GetUploadStatus(context.get(), request, &response));
  if (status.code() == absl::StatusCode::kNotFound) return 0;
  CLM_RETURN_IF_ERROR(status);
  return response.committed_size_bytes();
}

absl::Status SendData(Input& input, uint64_t committed, grpc::ClientWriter<v1::UploadArtifactRequest>& writer) {
  uint64_t offset = 0;
  while (true) {
    CLM_ASSIGN_OR_RETURN(std::string data, input.Read(kChunkBytes));
    if (data.empty()) return absl::OkStatus();
    const uint64_t begin = offset;
    offset += data.size();
    if (offset <= committed) continue;
    const uint64_t skip = committed > begin ? committed - begin : 0;
    v1::UploadArtifactRequest request;
    request.set_offset_bytes(begin + skip);
    request.set_data(data.substr(skip));
    if (!writer.Write(request)) return absl::OkStatus();  // the server refused; Finish() says why
  }
}

}  // namespace

absl::StatusOr<v1::Artifact> UploadFile(Session& session, const std::string& path) {
  if (path == "-") return absl::InvalidArgumentError("an upload needs a file, not stdin");
  CLM_ASSIGN_OR_RETURN(const LocalFile file, Describe(path));
  const auto stub = v1::ArtifactService::NewStub(session.channel());
  CLM_ASSIGN_OR_RETURN(std::optional<v1::Artifact> existing, FindBlob(session, *stub, file));
  if (existing.has_value()) return *std::move(existing);
  CLM_ASSIGN_OR_RETURN(const uint64_t committed, CommittedBytes(session, *stub, file));

  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Input> input, Input::Open(path));
  grpc::ClientContext context;
  v1::UploadArtifactResponse response;
  const auto writer = stub->UploadArtifact(&context, &response);
  v1::UploadArtifactRequest request;
  request.mutable_start()->set_upload_id(file.UploadId());
  request.mutable_start()->set_file_name(file.name);
  request.mutable_start()->set_total_size_bytes(file.size_bytes);
  writer->Write(request);
  const absl::Status sent = SendData(*input, committed, *writer);
  if (!sent.ok()) {
    context.TryCancel();
    writer->Finish().error_code();
    return sent;
  }
  request.Clear();
  request.mutable_finish()->set_sha256(file.sha256);
  writer->Write(request);
  writer->WritesDone();
  CLM_RETURN_IF_ERROR(ToAbsl(writer->Finish()));
  return response.artifact();
}

}  // namespace clm::client
