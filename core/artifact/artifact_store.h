// ArtifactStore: immutable, content-addressed folders on disk.
//
//   <root>/STORE                    format version
//   <root>/<kind>/<64 hex>/         one artifact: its files and manifest.json
//   <root>/pins/<64 hex>/<label>.pin
//   <root>/tmp/                     drafts and what is being deleted; swept when the server opens the store
//   <root>/uploads/                 unfinished uploads (upload_session.h)
//
//   CLM_ASSIGN_OR_RETURN(ArtifactDraft draft, store.NewDraft(ArtifactKind::kReport));
//   CLM_RETURN_IF_ERROR(draft.WriteFile("report.json", json));
//   CLM_ASSIGN_OR_RETURN(const ArtifactId id, draft.Commit({.parents = {checkpoint}, .attributes = {{"split",
//   "validation"}}}));
//
// Invariants: an artifact is there whole or not at all, also after a crash at any moment (files, then manifest, are
// synced in a private folder that is renamed into place). What Commit() returned survives a crash. An artifact never
// changes.
//
// Thread-safety: the store may be used from any thread; a draft by one thread at a time. Several processes may read and
// commit in one root. Sweeping and deleting belong to one of them, the one that holds the lock on the data folder; it
// pins what its workers' drafts will name as parents. Ownership: drafts must not outlive their store; the store must
// not outlive its FileSystem and Clock. Errors: those of FileSystem, and as said below. Sizes in bytes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "core/artifact/artifact_id.h"
#include "core/artifact/manifest.h"
#include "core/base/cancellation.h"
#include "core/base/clock.h"
#include "core/base/file_io.h"

namespace clm {

class ArtifactStore;

// What a commit says beside the files.
struct CommitOptions {
  std::vector<ArtifactId> parents = {};  // artifacts of this store; they cannot be deleted before this one
  ArtifactAttributes attributes = {};    // part of the identity: no times, no host names
  CancellationToken cancel = {};         // looked at while digesting
  // Digests (64 lower-case hex digits) that files must turn out to have, by name. DATA_LOSS naming a file that has not.
  std::map<std::string, std::string> expected_sha256 = {};
};

// An artifact being written: a private folder that vanishes with the object unless it is committed.
class ArtifactDraft {
 public:
  ArtifactDraft(ArtifactDraft&& other) noexcept;
  ArtifactDraft& operator=(ArtifactDraft&& other) noexcept;
  ~ArtifactDraft();

  ArtifactKind kind() const { return kind_; }
  // The private folder. Files may also be written into it by path (flat, no folders).
  const std::string& folder() const { return folder_; }
  // Where file `name` belongs.
  std::string Path(absl::string_view name) const { return JoinPath(folder_, name); }

  // INVALID_ARGUMENT for a bad name (CheckArtifactFileName). Close the file before Commit().
  absl::StatusOr<std::unique_ptr<WritableFile>> Create(absl::string_view name);
  absl::Status WriteFile(absl::string_view name, absl::string_view data);

  // Digests and publishes every file of the folder. All files must be closed. Committing what the store already has
  // returns the same id. After success the draft is spent (FAILED_PRECONDITION on further use); after an error Commit()
  // may be called again.
  // Errors: NOT_FOUND naming a parent that is not in the store; INVALID_ARGUMENT (MakeManifest).
  absl::StatusOr<ArtifactId> Commit(const CommitOptions& options);

 private:
  friend class ArtifactStore;
  ArtifactDraft(ArtifactStore* store, ArtifactKind kind, std::string folder)
      : store_(store), kind_(kind), folder_(std::move(folder)) {}
  void Discard();
  absl::Status CheckUsable() const;

  ArtifactStore* store_;  // null once spent or moved from
  ArtifactKind kind_;
  std::string folder_;
};

struct ArtifactStoreOptions {
  // Remove drafts and half-deleted artifacts that a crash left behind. Only for the process that holds the data
  // folder's lock, while no worker runs.
  bool sweep = false;
};

struct ListArtifactsOptions {
  std::optional<ArtifactKind> kind = {};  // every kind when empty
  int page_size = 0;                      // 0 means 100; above 1000 counts as 1000
  std::string page_token = {};            // empty for the first page
};

struct ArtifactPage {
  std::vector<std::shared_ptr<const Manifest>> artifacts;
  std::string next_page_token;  // empty on the last page
};

class ArtifactStore {
 public:
  static constexpr size_t kMinPrefixDigits = 8;

  // Creates what is missing below `root`. FAILED_PRECONDITION when the store has a version this program does not know.
  static absl::StatusOr<std::unique_ptr<ArtifactStore>> Open(FileSystem& files, std::string root, const Clock& clock,
                                                             const ArtifactStoreOptions& options);

  const std::string& root() const { return root_; }
  FileSystem& files() const { return files_; }
  const Clock& clock() const { return clock_; }

  absl::StatusOr<ArtifactDraft> NewDraft(ArtifactKind kind);

  // Publishes `folder` (below the root, flat, all files closed) as an artifact, as ArtifactDraft::Commit does; on
  // success the folder is gone, on error it is still there. For writers that own their folder.
  absl::StatusOr<ArtifactId> CommitFolder(ArtifactKind kind, const std::string& folder, const CommitOptions& options);

  // NOT_FOUND, or DATA_LOSS when the manifest is damaged.
  absl::StatusOr<std::shared_ptr<const Manifest>> Get(const ArtifactId& id);
  // From what a person types: "artifacts/{kind}/{hex}", the 64 digits, or at least the first 8 of them. NOT_FOUND;
  // INVALID_ARGUMENT when malformed, too short, or fitting several (the message names them).
  absl::StatusOr<ArtifactId> Resolve(absl::string_view text);
  // NOT_FOUND when the artifact has no such file. Does not check the bytes.
  absl::StatusOr<std::string> Path(const ArtifactId& id, absl::string_view file);
  // The folder of an artifact, whether or not it exists.
  std::string Folder(const ArtifactId& id) const;

  // Reads every file: DATA_LOSS naming the first that is missing, or whose size or digest differs.
  absl::Status Verify(const ArtifactId& id, const CancellationToken& cancel);
  // Get() for use: verifies on the first call for this id in this process.
  absl::StatusOr<std::shared_ptr<const Manifest>> OpenVerified(const ArtifactId& id, const CancellationToken& cancel);

  // Oldest first, by (creation time, id). Skips damaged manifests with a warning in the log. INVALID_ARGUMENT for a
  // negative page size or a token that is not ours.
  absl::StatusOr<ArtifactPage> List(const ListArtifactsOptions& options);
  // Bytes of files by kind; every kind is present.
  absl::StatusOr<std::map<ArtifactKind, uint64_t>> Usage();
  // Artifacts that name `id` as a parent, sorted.
  absl::StatusOr<std::vector<ArtifactId>> Children(const ArtifactId& id);

  // Label: 1 to 64 of [A-Za-z0-9_.-], else INVALID_ARGUMENT. Both are idempotent; NOT_FOUND for an unknown artifact.
  absl::Status Pin(const ArtifactId& id, absl::string_view label);
  absl::Status Unpin(const ArtifactId& id, absl::string_view label);
  // Labels, sorted.
  absl::StatusOr<std::vector<std::string>> Pins(const ArtifactId& id) const;

  // Returns the bytes freed. FAILED_PRECONDITION naming children and pins that hold it. Damaged artifacts can be
  // deleted.
  absl::StatusOr<uint64_t> Delete(const ArtifactId& id);

 private:
  friend class ArtifactDraft;
  using ManifestPointer = std::shared_ptr<const Manifest>;

  ArtifactStore(FileSystem& files, std::string root, const Clock& clock)
      : files_(files), root_(std::move(root)), clock_(clock) {}

  absl::Status Prepare(bool sweep);
  absl::Status CheckVersion();
  absl::StatusOr<std::vector<ManifestFile>> DescribeFiles(const std::string& folder, const CancellationToken& cancel);
  absl::Status PublishLocked(const std::string& folder, const Manifest& manifest)
      ABSL_SHARED_LOCKS_REQUIRED(change_mu_);
  absl::Status CheckNothingHolds(const ArtifactId& id);
  std::string KindFolder(ArtifactKind kind) const;
  std::string PinFolder(const ArtifactId& id) const;
  // A name in tmp/ that no other thread or process uses.
  std::string NewTemporaryPath(absl::string_view purpose) const;
  absl::StatusOr<std::vector<ArtifactId>> ListIds(ArtifactKind kind) const;
  // Every readable manifest, by id.
  absl::StatusOr<std::map<ArtifactId, ManifestPointer>> LoadAll();

  FileSystem& files_;
  const std::string root_;
  const Clock& clock_;

  // Shared while something is published or pinned, exclusive while it is deleted, so that a parent cannot vanish under
  // a commit. Taken before mu_.
  absl::Mutex change_mu_;

  mutable absl::Mutex mu_;
  std::map<ArtifactId, ManifestPointer> manifests_ ABSL_GUARDED_BY(mu_);  // a cache
  std::set<ArtifactId> verified_ ABSL_GUARDED_BY(mu_);
  std::set<ArtifactId> reported_ ABSL_GUARDED_BY(mu_);  // damaged, already in the log
};

}  // namespace clm
