// FaultFileSystem: a FileSystem that fails on demand and forgets what was never synced. For tests.
//
//   for (int n = 1;; ++n) {
//     TemporaryDirectory folder;
//     FaultFileSystem files(PosixFileSystem(), folder.path());
//     files.FailFrom(n, absl::InternalError("power cut"));
//     const absl::Status status = Save(files, folder.File("state"));
//     const bool reached = files.fault_happened();
//     files.Crash(FaultFileSystem::CrashKind::kLosesNames);
//     ... reopen, check that the old or the new state is there ...
//     if (!reached) break;  // n is past the last operation
//   }
//
// It works on a real folder of another FileSystem, so files can be mapped or opened by path, and keeps beside it, in
// memory, what a disk would hold after a power cut:
//   - data of a file: what it was at its last Sync();
//   - names (files and folders created, removed, renamed): what they were at the last SyncDirectory() of their folder.
//   A
//     rename between two folders becomes permanent as a whole, with the first of them that is synced.
// What lies below `root` at construction counts as synced. Files written there by other means are noticed at the next
// Append() or SyncDirectory() that meets them.
//
// Mutating operations, counted and failing one by one: Create, Append (opening), WritableFile::Append/Sync/Close,
// MakeDirectories, Truncate, Rename, RemoveFile, SyncDirectory, and each entry that RemoveTree removes. A failing
// WritableFile::Append writes the first half of its data. A failing operation of another kind does nothing.
//
// Paths outside `root` are passed through and neither counted nor failed.
// Thread-safety: any thread. Ownership: must outlive its files (a test may not); `base` must outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file_io.h"

namespace clm {

class FaultFileSystem final : public FileSystem {
 public:
  // What a power cut leaves of unsynced names. Unsynced data is lost in both: a file system may write names early,
  // which is how a rename without a sync of the data before it ends in an empty file.
  enum class CrashKind : uint8_t { kLosesNames, kKeepsNames };

  // `root` must exist.
  FaultFileSystem(FileSystem& base, std::string root);
  ~FaultFileSystem() override;

  // The n-th mutating operation from now (n >= 1) fails with `status`, and only it.
  void FailOperation(uint64_t n, absl::Status status);
  // The n-th mutating operation from now and every later one fail: the process has no chance to clean up.
  void FailFrom(uint64_t n, absl::Status status);
  // Takes back FailOperation and FailFrom.
  void ClearFaults();
  // Whether an operation failed since the last FailOperation, FailFrom or ClearFaults.
  bool fault_happened() const;
  // Mutating operations so far.
  uint64_t operation_count() const;

  // The files below `root` may hold this many bytes together; a write beyond stores what fits and gives
  // RESOURCE_EXHAUSTED "no space left on device".
  void SpaceLimit(uint64_t bytes);

  // Puts `root` into the state after a power cut and takes back the faults. Files opened before it fail with INTERNAL.
  // CHECK-fails when the base file system cannot be written.
  void Crash(CrashKind kind);

  absl::StatusOr<std::unique_ptr<WritableFile>> Create(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<WritableFile>> Append(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> Open(const std::string& path) const override;
  absl::StatusOr<std::unique_ptr<MappedFile>> Map(const std::string& path) const override;
  absl::StatusOr<uint64_t> SizeBytes(const std::string& path) const override;
  bool Exists(const std::string& path) const override;
  absl::StatusOr<bool> IsDirectory(const std::string& path) const override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) const override;
  absl::Status MakeDirectories(const std::string& path) override;
  absl::Status Truncate(const std::string& path, uint64_t size_bytes) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status RemoveFile(const std::string& path) override;
  absl::Status RemoveTree(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& path) override;

 private:
  struct State;
  class File;

  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWriting(const std::string& path, bool truncate);

  FileSystem& base_;
  const std::string root_;
  const std::shared_ptr<State> state_;
};

}  // namespace clm
