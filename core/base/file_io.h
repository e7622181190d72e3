// FileSystem: the one door to the disk.
//
// Every read and write of CLM's own data goes through this interface, so that a test can fail the n-th operation, drop
// what was never synced, or run out of space (FaultFileSystem). PublishDirectory and WriteFileAtomically are the only
// places that rename.
//
// Errors: NOT_FOUND (no such file), ALREADY_EXISTS, PERMISSION_DENIED, RESOURCE_EXHAUSTED (no space left, quota, too
// many open files), INVALID_ARGUMENT (opening for reading what is not a regular file), otherwise INTERNAL; every
// message names the operation, the path and the system's reason. Thread-safety: FileSystem may be used from any thread;
// one WritableFile by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace clm {

// A file open for appending. Unsynced data may vanish in a crash. The destructor closes without reporting errors; call
// Close() where they matter.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual absl::Status Append(absl::string_view data) = 0;
  virtual absl::Status Sync() = 0;  // fdatasync: data and size are on disk when it returns OK
  virtual absl::Status Close() = 0;
};

// A file open for reading at any offset. Thread-safe.
class RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;
  virtual uint64_t size_bytes() const = 0;
  // Reads up to `length` bytes at `offset` into `out` (resized to what was read; shorter only at the end of the file).
  virtual absl::Status Read(uint64_t offset, size_t length, std::string& out) const = 0;
};

// A whole file mapped for reading. Immutable; unmapped on destruction. An empty file gives an empty view.
class MappedFile {
 public:
  virtual ~MappedFile() = default;
  virtual absl::string_view data() const = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Creates or truncates.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> Create(const std::string& path) = 0;
  // Creates if missing, keeps what is there.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> Append(const std::string& path) = 0;
  virtual absl::StatusOr<std::unique_ptr<RandomAccessFile>> Open(const std::string& path) const = 0;
  virtual absl::StatusOr<std::unique_ptr<MappedFile>> Map(const std::string& path) const = 0;

  virtual absl::StatusOr<uint64_t> SizeBytes(const std::string& path) const = 0;
  virtual bool Exists(const std::string& path) const = 0;
  virtual absl::StatusOr<bool> IsDirectory(const std::string& path) const = 0;
  // Names (not paths) inside `path`, sorted, without "." and "..".
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& path) const = 0;

  virtual absl::Status MakeDirectories(const std::string& path) = 0;  // like mkdir -p
  virtual absl::Status Truncate(const std::string& path, uint64_t size_bytes) = 0;
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  virtual absl::Status RemoveFile(const std::string& path) = 0;
  virtual absl::Status RemoveTree(const std::string& path) = 0;  // OK when nothing is there
  virtual absl::Status SyncDirectory(const std::string& path) = 0;
};

// The machine's file system. Lives as long as the process.
FileSystem& PosixFileSystem();

// The whole content of `path`. RESOURCE_EXHAUSTED, with both numbers, when it is longer than `limit_bytes`.
absl::StatusOr<std::string> ReadFile(const FileSystem& files, const std::string& path, uint64_t limit_bytes);

// Replaces `path` by `data`: temporary name beside it, sync, rename, sync of the folder. After a crash the path holds
// the old content or the new one, never a mixture. One writer of a path at a time.
absl::Status WriteFileAtomically(FileSystem& files, const std::string& path, absl::string_view data);

// MakeDirectories that survives a crash: every level it creates is synced into its parent.
absl::Status MakeDurableDirectories(FileSystem& files, const std::string& path);

// Moves the finished directory `from` to `to` (same file system): syncs every file and folder below `from`, renames,
// syncs the parent of `to`. ALREADY_EXISTS if `to` is there.
absl::Status PublishDirectory(FileSystem& files, const std::string& from, const std::string& to);

// "a/b" from "a" and "b"; exactly one slash between them.
std::string JoinPath(absl::string_view left, absl::string_view right);

// A lock on a folder, held by this process until destruction (flock on `<folder>/LOCK`).
class FolderLock {
 public:
  virtual ~FolderLock() = default;
};
// FAILED_PRECONDITION naming the folder and the holder's process id when another process has it.
absl::StatusOr<std::unique_ptr<FolderLock>> LockFolder(const std::string& path);

}  // namespace clm
