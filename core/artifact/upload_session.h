// UploadSessions: files that arrive in pieces and survive interruptions.
//
//   <root>/uploads/<upload id>/data    what has come so far
//
//   CLM_ASSIGN_OR_RETURN(std::unique_ptr<UploadSession> session, uploads.Begin(upload_id, total_size_bytes));
//   CLM_RETURN_IF_ERROR(session->WriteAt(session->committed_size_bytes(), data));   // as often as needed
//   CLM_ASSIGN_OR_RETURN(const ArtifactId id, session->Finish({.sha256 = digest}));
//
// A session that is destroyed before Finish() keeps its data; Begin() with the same id goes on, also after a restart or
// a crash at any moment. Only what CommittedSize() reported is certain to survive a crash.
//
// Thread-safety: UploadSessions may be used from any thread; a session by one thread at a time, and one session per
// upload. Ownership: sessions must not outlive their UploadSessions, nor that its store. One process only uses a root's
// uploads. Errors: those of FileSystem and ArtifactStore, and as said below.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/artifact/artifact_store.h"

namespace clm {

struct UploadLimits {
  // Longest file. Default 16 GiB.
  uint64_t max_size_bytes = uint64_t{16} << 30;
  // Unfinished uploads kept at a time. Range [1, 65536].
  size_t max_uploads = 256;

  absl::Status Validate() const;  // INVALID_ARGUMENT, naming field, value and range
};

struct FinishUploadOptions {
  std::string sha256;  // of the whole file; 64 hex digits of either case
  ArtifactKind kind = ArtifactKind::kBlob;
  std::string file_name = "data";  // see CheckArtifactFileName
  ArtifactAttributes attributes = {};
  CancellationToken cancel = {};
};

class UploadSessions;

// The right to write one upload.
class UploadSession {
 public:
  ~UploadSession();
  UploadSession(const UploadSession&) = delete;
  UploadSession& operator=(const UploadSession&) = delete;

  const std::string& upload_id() const { return upload_id_; }
  // Bytes received; the only offset that WriteAt() takes.
  uint64_t committed_size_bytes() const { return size_bytes_; }

  // INVALID_ARGUMENT, with both numbers, unless `offset_bytes` is committed_size_bytes(). RESOURCE_EXHAUSTED when the
  // file would be longer than declared or allowed; nothing is written then.
  absl::Status WriteAt(uint64_t offset_bytes, absl::string_view data);
  // Makes what came so far survive a crash.
  absl::Status Sync();
  // Publishes the file as an artifact and ends the upload. DATA_LOSS when the digest differs: the upload is dropped.
  // INVALID_ARGUMENT when the length differs from the declared one, for a bad digest, name or attribute: the upload
  // stays.
  absl::StatusOr<ArtifactId> Finish(const FinishUploadOptions& options);

 private:
  friend class UploadSessions;
  UploadSession(UploadSessions& owner, std::string upload_id, uint64_t limit_bytes, uint64_t declared_bytes)
      : owner_(owner), upload_id_(std::move(upload_id)), limit_bytes_(limit_bytes), declared_bytes_(declared_bytes) {}
  absl::Status OpenFile();
  absl::StatusOr<ArtifactId> Publish(const FinishUploadOptions& options, const std::string& sha256);

  UploadSessions& owner_;
  const std::string upload_id_;
  const uint64_t limit_bytes_;
  const uint64_t declared_bytes_;  // 0 when unknown
  uint64_t size_bytes_ = 0;
  bool finished_ = false;
  std::unique_ptr<WritableFile> file_;  // null when finished or when it could not be opened again
};

class UploadSessions {
 public:
  // INVALID_ARGUMENT for limits out of range.
  static absl::StatusOr<std::unique_ptr<UploadSessions>> Open(ArtifactStore& store, const UploadLimits& limits);

  // Starts or resumes an upload. `upload_id`: 8 to 64 of [A-Za-z0-9_-]. `total_size_bytes`: the whole length, 0 when
  // unknown. Errors: INVALID_ARGUMENT (id), RESOURCE_EXHAUSTED (too long, too many uploads), FAILED_PRECONDITION
  // (another session is writing this upload).
  absl::StatusOr<std::unique_ptr<UploadSession>> Begin(absl::string_view upload_id, uint64_t total_size_bytes);
  // Bytes that survive a crash: syncs first. NOT_FOUND for an unknown or finished upload.
  absl::StatusOr<uint64_t> CommittedSize(absl::string_view upload_id);
  // Forgets an upload. OK when there is none; FAILED_PRECONDITION while a session writes it.
  absl::Status Drop(absl::string_view upload_id);
  // Drops uploads that nobody touched for `age` (since Open() for those from before). Returns how many.
  absl::StatusOr<size_t> DropIdle(absl::Duration age);

 private:
  friend class UploadSession;
  UploadSessions(ArtifactStore& store, const UploadLimits& limits) : store_(store), limits_(limits) {}

  std::string Folder(absl::string_view upload_id) const;
  std::string DataPath(absl::string_view upload_id) const;
  // Undoes a Finish() that a crash interrupted. The folder holds at most the data, under its own or its final name, and
  // a manifest.
  absl::Status Recover(absl::string_view upload_id);
  absl::Status Remove(absl::string_view upload_id);
  void Touch(const std::string& upload_id);
  void Release(const std::string& upload_id, bool gone);

  ArtifactStore& store_;
  const UploadLimits limits_;

  absl::Mutex mu_;
  std::set<std::string> busy_ ABSL_GUARDED_BY(mu_);                     // a session exists
  std::map<std::string, absl::Duration> touched_ ABSL_GUARDED_BY(mu_);  // every upload on disk; Clock::Monotonic
};

}  // namespace clm
