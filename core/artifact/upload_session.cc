#include "core/artifact/upload_session.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr char kUploadsFolder[] = "uploads";
constexpr char kDataFile[] = "data";
constexpr size_t kMinUploadIdBytes = 8;
constexpr size_t kMaxUploadIdBytes = 64;

absl::Status CheckUploadId(absl::string_view id) {
  const auto is_allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  };
  if (id.size() >= kMinUploadIdBytes && id.size() <= kMaxUploadIdBytes &&
      std::all_of(id.begin(), id.end(), is_allowed)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("upload_id of ", id.size(), " bytes is not ", kMinUploadIdBytes,
                                                 " to ", kMaxUploadIdBytes, " of [A-Za-z0-9_-]"));
}

absl::Status UnknownUpload(absl::string_view id) { return absl::NotFoundError(absl::StrCat("no upload ", id)); }

}  // namespace

absl::Status UploadLimits::Validate() const {
  constexpr size_t kMostUploads = 65536;
  if (max_size_bytes == 0) return absl::InvalidArgumentError("max_size_bytes is 0, it must be at least 1");
  if (max_uploads == 0 || max_uploads > kMostUploads) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_uploads is ", max_uploads, ", allowed are 1 to ", kMostUploads));
  }
  return absl::OkStatus();
}

// ---- one session

UploadSession::~UploadSession() {
  if (file_ != nullptr) file_->Close().IgnoreError();  // unsynced data may be lost; CommittedSize() tells
  owner_.Release(upload_id_, finished_);
}

absl::Status UploadSession::OpenFile() {
  FileSystem& files = owner_.store_.files();
  const std::string path = owner_.DataPath(upload_id_);
  CLM_RETURN_IF_ERROR(owner_.Recover(upload_id_));
  CLM_RETURN_IF_ERROR(MakeDurableDirectories(files, owner_.Folder(upload_id_)));
  CLM_ASSIGN_OR_RETURN(file_, files.Append(path));
  CLM_RETURN_IF_ERROR(files.SyncDirectory(owner_.Folder(upload_id_)));
  CLM_ASSIGN_OR_RETURN(size_bytes_, files.SizeBytes(path));
  return absl::OkStatus();
}

absl::Status UploadSession::WriteAt(uint64_t offset_bytes, absl::string_view data) {
  if (finished_ || file_ == nullptr) return absl::FailedPreconditionError("the upload is finished");
  if (offset_bytes != size_bytes_) {
    return absl::InvalidArgumentError(
        absl::StrCat("offset is ", offset_bytes, ", the upload has ", size_bytes_, " bytes"));
  }
  if (data.size() > limit_bytes_ - std::min(size_bytes_, limit_bytes_)) {
    return absl::ResourceExhaustedError(absl::StrCat("upload ", upload_id_, " would have ", size_bytes_ + data.size(),
                                                     " bytes, the limit is ", limit_bytes_));
  }
  owner_.Touch(upload_id_);
  absl::Status written = file_->Append(data);
  if (written.ok()) {
    size_bytes_ += data.size();
    return absl::OkStatus();
  }
  // A part may have been written; it is a part of the right bytes, so it stays.
  const absl::StatusOr<uint64_t> size = owner_.store_.files().SizeBytes(owner_.DataPath(upload_id_));
  if (size.ok()) size_bytes_ = *size;
  return written;
}

absl::Status UploadSession::Sync() {
  if (finished_ || file_ == nullptr) return absl::FailedPreconditionError("the upload is finished");
  return file_->Sync();
}

absl::StatusOr<ArtifactId> UploadSession::Finish(const FinishUploadOptions& options) {
  if (finished_ || file_ == nullptr) return absl::FailedPreconditionError("the upload is finished");
  CLM_RETURN_IF_ERROR(CheckArtifactFileName(options.file_name));
  const std::string sha256 = absl::AsciiStrToLower(options.sha256);
  if (!ArtifactId::Create(options.kind, sha256).ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("sha256 of ", options.sha256.size(), " characters is not 64 hex digits"));
  }
  if (declared_bytes_ != 0 && size_bytes_ != declared_bytes_) {
    return absl::InvalidArgumentError(
        absl::StrCat("upload ", upload_id_, " has ", size_bytes_, " bytes, declared were ", declared_bytes_));
  }
  const absl::Status closed = file_->Close();
  file_ = nullptr;
  absl::StatusOr<ArtifactId> id = closed.ok() ? Publish(options, sha256) : closed;
  if (id.ok()) {
    finished_ = true;
    return id;
  }
  if (absl::IsDataLoss(id.status())) {
    finished_ = true;
    CLM_RETURN_IF_ERROR(owner_.Remove(upload_id_));
    return id.status();
  }
  const absl::Status reopened = OpenFile();
  if (!reopened.ok()) Log(LogLevel::kWarning, "upload not reopened", {{"reason", reopened.ToString()}});
  return id.status();
}

absl::StatusOr<ArtifactId> UploadSession::Publish(const FinishUploadOptions& options, const std::string& sha256) {
  const std::string folder = owner_.Folder(upload_id_);
  if (options.file_name != kDataFile) {
    CLM_RETURN_IF_ERROR(owner_.store_.files().Rename(owner_.DataPath(upload_id_), JoinPath(folder, options.file_name)));
  }
  CommitOptions commit;
  commit.attributes = options.attributes;
  commit.cancel = options.cancel;
  commit.expected_sha256[options.file_name] = sha256;
  return owner_.store_.CommitFolder(options.kind, folder, commit);
}

// ---- all uploads

absl::StatusOr<std::unique_ptr<UploadSessions>> UploadSessions::Open(ArtifactStore& store, const UploadLimits& limits) {
  CLM_RETURN_IF_ERROR(limits.Validate());
  std::unique_ptr<UploadSessions> sessions(new UploadSessions(store, limits));
  CLM_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                       store.files().List(JoinPath(store.root(), kUploadsFolder)));
  absl::MutexLock lock(&sessions->mu_);
  for (const std::string& name : names) {
    if (CheckUploadId(name).ok()) sessions->touched_[name] = store.clock().Monotonic();
  }
  return sessions;
}

std::string UploadSessions::Folder(absl::string_view upload_id) const {
  return JoinPath(JoinPath(store_.root(), kUploadsFolder), upload_id);
}

std::string UploadSessions::DataPath(absl::string_view upload_id) const {
  return JoinPath(Folder(upload_id), kDataFile);
}

absl::StatusOr<std::unique_ptr<UploadSession>> UploadSessions::Begin(absl::string_view upload_id,
                                                                     uint64_t total_size_bytes) {
  CLM_RETURN_IF_ERROR(CheckUploadId(upload_id));
  if (total_size_bytes > limits_.max_size_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("upload of ", total_size_bytes, " bytes, the limit is ", limits_.max_size_bytes));
  }
  const std::string id(upload_id);
  {
    absl::MutexLock lock(&mu_);
    if (busy_.contains(id)) return absl::FailedPreconditionError(absl::StrCat("upload ", id, " is being written"));
    if (!touched_.contains(id) && touched_.size() >= limits_.max_uploads) {
      return absl::ResourceExhaustedError(
          absl::StrCat("there are ", touched_.size(), " unfinished uploads, the limit is ", limits_.max_uploads));
    }
    busy_.insert(id);
    touched_[id] = store_.clock().Monotonic();
  }
  const uint64_t limit = total_size_bytes != 0 ? total_size_bytes : limits_.max_size_bytes;
  std::unique_ptr<UploadSession> session(new UploadSession(*this, id, limit, total_size_bytes));  // Release()s on error
  CLM_RETURN_IF_ERROR(session->OpenFile());
  if (session->size_bytes_ > limit) {
    return absl::InvalidArgumentError(
        absl::StrCat("upload ", id, " already has ", session->size_bytes_, " bytes, more than ", limit));
  }
  return session;
}

absl::StatusOr<uint64_t> UploadSessions::CommittedSize(absl::string_view upload_id) {
  CLM_RETURN_IF_ERROR(CheckUploadId(upload_id));
  bool is_busy = false;
  {
    absl::MutexLock lock(&mu_);
    if (!touched_.contains(std::string(upload_id))) return UnknownUpload(upload_id);
    is_busy = busy_.contains(std::string(upload_id));
  }
  FileSystem& files = store_.files();
  if (!is_busy) {
    // A session as anyone's: it recovers, and keeps others out meanwhile.
    CLM_ASSIGN_OR_RETURN(const std::unique_ptr<UploadSession> session, Begin(upload_id, 0));
    CLM_RETURN_IF_ERROR(session->Sync());
    return session->committed_size_bytes();
  }
  const std::string path = DataPath(upload_id);
  const absl::StatusOr<uint64_t> size = files.SizeBytes(path);  // before the sync, which covers at least that much
  if (absl::IsNotFound(size.status())) return UnknownUpload(upload_id);  // just being published
  CLM_RETURN_IF_ERROR(size.status());
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files.Append(path));
  CLM_RETURN_IF_ERROR(file->Sync());
  return *size;
}

absl::Status UploadSessions::Drop(absl::string_view upload_id) {
  CLM_RETURN_IF_ERROR(CheckUploadId(upload_id));
  const std::string id(upload_id);
  {
    absl::MutexLock lock(&mu_);
    if (!touched_.contains(id)) return absl::OkStatus();
    if (!busy_.insert(id).second) {
      return absl::FailedPreconditionError(absl::StrCat("upload ", id, " is being written"));
    }
  }
  absl::Status removed = Remove(id);
  Release(id, /*gone=*/removed.ok());
  return removed;
}

absl::StatusOr<size_t> UploadSessions::DropIdle(absl::Duration age) {
  std::vector<std::string> idle;
  {
    absl::MutexLock lock(&mu_);
    const absl::Duration now = store_.clock().Monotonic();
    for (const auto& [id, touched] : touched_) {
      if (now - touched >= age && !busy_.contains(id)) idle.push_back(id);
    }
  }
  size_t dropped = 0;
  for (const std::string& id : idle) {
    const absl::Status status = Drop(id);
    if (absl::IsFailedPrecondition(status)) continue;  // resumed meanwhile
    CLM_RETURN_IF_ERROR(status);
    ++dropped;
  }
  return dropped;
}

absl::Status UploadSessions::Recover(absl::string_view upload_id) {
  FileSystem& files = store_.files();
  const std::string folder = Folder(upload_id);
  if (!files.Exists(folder)) return absl::OkStatus();
  const std::string manifest = JoinPath(folder, kManifestFileName);
  if (files.Exists(manifest)) CLM_RETURN_IF_ERROR(files.RemoveFile(manifest));
  CLM_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(folder));
  if (names.empty() || names.front() == kDataFile) return absl::OkStatus();
  return files.Rename(JoinPath(folder, names.front()), DataPath(upload_id));
}

absl::Status UploadSessions::Remove(absl::string_view upload_id) {
  FileSystem& files = store_.files();
  CLM_RETURN_IF_ERROR(files.RemoveTree(Folder(upload_id)));
  return files.SyncDirectory(JoinPath(store_.root(), kUploadsFolder));
}

void UploadSessions::Touch(const std::string& upload_id) {
  absl::MutexLock lock(&mu_);
  touched_[upload_id] = store_.clock().Monotonic();
}

void UploadSessions::Release(const std::string& upload_id, bool gone) {
  const bool is_there = !gone && store_.files().Exists(Folder(upload_id));
  absl::MutexLock lock(&mu_);
  busy_.erase(upload_id);
  if (!is_there) touched_.erase(upload_id);
}

}  // namespace clm
