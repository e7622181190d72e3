#include "server/service/artifact_handler.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/digest.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "server/service/chunks.h"
#include "server/service/error_detail.h"

namespace clm {
namespace {

constexpr int kMaxUploadAttributes = 16;
constexpr size_t kMaxUploadAttributeBytes = 1024;
// Data that a crash may cost an upload.
constexpr uint64_t kSyncEveryBytes = uint64_t{64} << 20;

absl::Status CheckUploadStart(const v1::UploadArtifactRequest::Start& start) {
  if (start.attributes_size() > kMaxUploadAttributes) {
    return InvalidField("start.attributes",
                        absl::StrCat(start.attributes_size(), " entries, the limit is ", kMaxUploadAttributes));
  }
  for (const auto& [key, value] : start.attributes()) {
    if (key.size() + value.size() > kMaxUploadAttributeBytes) {
      return InvalidField("start.attributes", absl::StrCat("an entry of ", key.size() + value.size(),
                                                           " bytes, the limit is ", kMaxUploadAttributeBytes));
    }
  }
  if (start.file_name().empty()) return absl::OkStatus();
  return CheckArtifactFileName(start.file_name());
}

std::optional<ArtifactKind> KindFromProto(v1::ArtifactKind kind) {
  for (const ArtifactKind known : kAllArtifactKinds) {
    if (ToProto(known) == kind) return known;
  }
  return std::nullopt;
}

v1::ArtifactFile ToProto(const ManifestFile& file) {
  v1::ArtifactFile result;
  result.set_name(file.name);
  result.set_size_bytes(file.size_bytes);
  result.set_sha256(file.sha256);
  return result;
}

absl::StatusOr<ManifestFile> ChooseFile(const Manifest& manifest, const std::string& name) {
  if (name.empty()) {
    if (manifest.files.size() == 1) return manifest.files.front();
    return InvalidField("file_name", absl::StrCat(manifest.id.Name(), " has ", manifest.files.size(), " files"));
  }
  const ManifestFile* file = manifest.Find(name);
  if (file != nullptr) return *file;
  return WithReason(absl::NotFoundError(absl::StrCat(manifest.id.Name(), " has no file ", name)),
                    "ARTIFACT_FILE_NOT_FOUND", {{"artifact", manifest.id.Name()}, {"file", name}});
}

}  // namespace

v1::ArtifactKind ToProto(ArtifactKind kind) { return static_cast<v1::ArtifactKind>(kind); }

v1::Artifact ToProto(const Manifest& manifest, const std::vector<std::string>& pins) {
  v1::Artifact artifact;
  artifact.set_name(manifest.id.Name());
  artifact.set_kind(ToProto(manifest.id.kind()));
  const int64_t milliseconds = absl::ToUnixMillis(manifest.create_time);
  artifact.mutable_create_time()->set_seconds(milliseconds / 1000);
  artifact.mutable_create_time()->set_nanos(static_cast<int32_t>(milliseconds % 1000 * 1'000'000));
  for (const ManifestFile& file : manifest.files) *artifact.add_files() = ToProto(file);
  for (const ArtifactId& parent : manifest.parents) artifact.add_parents(parent.Name());
  for (const auto& [key, value] : manifest.attributes) (*artifact.mutable_attributes())[key] = value;
  for (const std::string& pin : pins) artifact.add_pins(pin);
  artifact.set_total_size_bytes(manifest.TotalSizeBytes());
  return artifact;
}

void MeasureArtifacts(ArtifactStore& store, Metrics& metrics) {
  const auto usage = store.Usage();
  if (!usage.ok()) {
    Log(LogLevel::kWarning, "cannot measure the artifacts", {{"error", usage.status().ToString()}});
    return;
  }
  for (const auto& [kind, bytes] : *usage) {
    metrics.Set(kArtifactBytes, {std::string(ArtifactKindName(kind))}, static_cast<double>(bytes));
  }
}

absl::StatusOr<v1::Artifact> ArtifactHandler::Describe(const Manifest& manifest) {
  CLM_ASSIGN_OR_RETURN(const std::vector<std::string> pins, store_.Pins(manifest.id));
  return ToProto(manifest, pins);
}

absl::StatusOr<ArtifactId> ArtifactHandler::Receive(const Call& call, MessageReader<v1::UploadArtifactRequest>& reader,
                                                    const v1::UploadArtifactRequest::Start& start,
                                                    UploadSession& session) {
  v1::UploadArtifactRequest message;
  uint64_t unsynced_bytes = 0;
  while (true) {
    CLM_ASSIGN_OR_RETURN(const bool more, reader.Read(message));
    if (!more) {
      return WithReason(
          absl::InvalidArgumentError(absl::StrCat("the stream ended without finish after ",
                                                  session.committed_size_bytes(), " bytes; the upload can go on")),
          "UPLOAD_UNFINISHED");
    }
    if (message.has_finish()) break;
    if (!message.has_data()) return InvalidField("part", "after start comes data, then finish");
    if (message.data().size() > kMaxChunkInBytes) {
      return InvalidField("data",
                          absl::StrCat("has ", message.data().size(), " bytes, the limit is ", kMaxChunkInBytes));
    }
    CLM_RETURN_IF_ERROR(session.WriteAt(message.offset_bytes(), message.data()));
    unsynced_bytes += message.data().size();
    if (unsynced_bytes < kSyncEveryBytes) continue;
    CLM_RETURN_IF_ERROR(session.Sync());
    unsynced_bytes = 0;
  }
  FinishUploadOptions options;
  options.sha256 = message.finish().sha256();
  if (!start.file_name().empty()) options.file_name = start.file_name();
  options.attributes.insert(start.attributes().begin(), start.attributes().end());
  options.cancel = call.cancel();
  return session.Finish(options);
}

absl::StatusOr<v1::UploadArtifactResponse> ArtifactHandler::Upload(const Call& call,
                                                                   MessageReader<v1::UploadArtifactRequest>& reader) {
  CLM_ASSIGN_OR_RETURN(const v1::UploadArtifactRequest first, ReadStart(reader));
  const v1::UploadArtifactRequest::Start& start = first.start();
  CLM_RETURN_IF_ERROR(CheckUploadStart(start));
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<UploadSession> session,
                       uploads_.Begin(start.upload_id(), start.total_size_bytes()));
  const absl::StatusOr<ArtifactId> id = Receive(call, reader, start, *session);
  if (!id.ok()) {
    // Best effort: the caller asks for the committed size before it goes on.
    session->Sync().IgnoreError();
    return id.status();
  }
  MeasureArtifacts(store_, metrics_);
  CLM_ASSIGN_OR_RETURN(const auto manifest, store_.Get(*id));
  v1::UploadArtifactResponse response;
  CLM_ASSIGN_OR_RETURN(*response.mutable_artifact(), Describe(*manifest));
  return response;
}

absl::StatusOr<v1::GetUploadStatusResponse> ArtifactHandler::UploadStatus(const v1::GetUploadStatusRequest& request) {
  v1::GetUploadStatusResponse response;
  CLM_ASSIGN_OR_RETURN(const uint64_t size, uploads_.CommittedSize(request.upload_id()));
  response.set_committed_size_bytes(size);
  return response;
}

absl::Status ArtifactHandler::Download(const Call& call, const v1::DownloadArtifactRequest& request,
                                       MessageWriter<v1::DownloadArtifactResponse>& writer) {
  CLM_ASSIGN_OR_RETURN(const ArtifactId id, store_.Resolve(request.artifact()));
  CLM_ASSIGN_OR_RETURN(const auto manifest, store_.OpenVerified(id, call.cancel()));
  CLM_ASSIGN_OR_RETURN(const ManifestFile file, ChooseFile(*manifest, request.file_name()));
  if (request.offset_bytes() > file.size_bytes) {
    return absl::OutOfRangeError(absl::StrCat("offset_bytes: ", request.offset_bytes(), " is beyond the end of ",
                                              file.name, ", ", file.size_bytes));
  }
  v1::DownloadArtifactResponse first;
  CLM_ASSIGN_OR_RETURN(*first.mutable_artifact(), Describe(*manifest));
  *first.mutable_file() = ToProto(file);
  CLM_RETURN_IF_ERROR(writer.Write(first));
  return SendFile(call, id, file, request.offset_bytes(), writer);
}

absl::Status ArtifactHandler::SendFile(const Call& call, const ArtifactId& id, const ManifestFile& file,
                                       uint64_t offset, MessageWriter<v1::DownloadArtifactResponse>& writer) {
  CLM_ASSIGN_OR_RETURN(const std::string path, store_.Path(id, file.name));
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> content, store_.files().Open(path));
  const bool whole = offset == 0;
  Sha256 digest;
  std::string piece;
  while (offset < file.size_bytes) {
    CLM_RETURN_IF_ERROR(call.cancel().Check());
    CLM_RETURN_IF_ERROR(content->Read(offset, kMaxChunkOutBytes, piece));
    if (piece.empty()) break;
    if (whole) digest.Update(piece);
    offset += piece.size();
    v1::DownloadArtifactResponse response;
    response.set_data(piece);
    CLM_RETURN_IF_ERROR(writer.Write(response));
  }
  if (offset != file.size_bytes || (whole && ToHex(digest.Finish()) != file.sha256)) {
    return WithReason(absl::DataLossError(absl::StrCat(id.Name(), "/", file.name, " is damaged")), "ARTIFACT_DAMAGED",
                      {{"artifact", id.Name()}, {"file", file.name}});
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::ListArtifactsResponse> ArtifactHandler::List(const v1::ListArtifactsRequest& request) {
  ListArtifactsOptions options;
  if (request.kind() != v1::ARTIFACT_KIND_UNSPECIFIED) {
    options.kind = KindFromProto(request.kind());
    if (!options.kind.has_value()) {
      return InvalidField("kind", absl::StrCat(static_cast<int>(request.kind()), " is no kind of this version"));
    }
  }
  options.page_size = request.page_size();
  options.page_token = request.page_token();
  CLM_ASSIGN_OR_RETURN(const ArtifactPage page, store_.List(options));
  v1::ListArtifactsResponse response;
  for (const auto& manifest : page.artifacts) {
    CLM_ASSIGN_OR_RETURN(*response.add_artifacts(), Describe(*manifest));
  }
  response.set_next_page_token(page.next_page_token);
  return response;
}

absl::StatusOr<v1::Artifact> ArtifactHandler::Get(const std::string& name) {
  CLM_ASSIGN_OR_RETURN(const ArtifactId id, store_.Resolve(name));
  CLM_ASSIGN_OR_RETURN(const auto manifest, store_.Get(id));
  return Describe(*manifest);
}

absl::StatusOr<v1::DeleteArtifactResponse> ArtifactHandler::Delete(const v1::DeleteArtifactRequest& request) {
  CLM_ASSIGN_OR_RETURN(const ArtifactId id, store_.Resolve(request.artifact()));
  v1::DeleteArtifactResponse response;
  CLM_RETURN_IF_ERROR(jobs_.DeleteUnread(id.hex(), [&]() -> absl::Status {
    CLM_ASSIGN_OR_RETURN(const uint64_t freed, store_.Delete(id));
    response.set_freed_bytes(freed);
    return absl::OkStatus();
  }));
  MeasureArtifacts(store_, metrics_);
  return response;
}

absl::StatusOr<v1::Artifact> ArtifactHandler::Pin(const v1::PinArtifactRequest& request) {
  CLM_ASSIGN_OR_RETURN(const ArtifactId id, store_.Resolve(request.artifact()));
  CLM_RETURN_IF_ERROR(request.remove() ? store_.Unpin(id, request.label()) : store_.Pin(id, request.label()));
  return Get(id.Name());
}

}  // namespace clm
