#include "core/base/file_io.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

absl::Status ErrnoError(absl::string_view operation, const std::string& path, int error) {
  const std::string message = absl::StrCat("cannot ", operation, " ", path, ": ", std::strerror(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(message);
    case EEXIST:
    case ENOTEMPTY:
      return absl::AlreadyExistsError(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::InternalError(message);
  }
}

absl::Status FilesystemError(absl::string_view operation, const std::string& path, const std::error_code& error) {
  return ErrnoError(operation, path, error.value());
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

int OpenRetrying(const std::string& path, int flags, mode_t mode = 0) {
  int fd = -1;
  do {
    fd = open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

// Waiting for the other end of a pipe would hang the caller, hence O_NONBLOCK; it changes nothing for regular files.
int OpenForReading(const std::string& path) { return OpenRetrying(path, O_RDONLY | O_NONBLOCK); }

absl::StatusOr<uint64_t> RegularFileSize(int fd, const std::string& path) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return ErrnoError("examine", path, errno);
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read ", path, ": it is ", S_ISDIR(info.st_mode) ? "a folder" : "not a regular file"));
  }
  return static_cast<uint64_t>(info.st_size);
}

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  absl::Status Append(absl::string_view data) override {
    while (!data.empty()) {
      const ssize_t written = write(fd_.get(), data.data(), data.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return ErrnoError("write", path_, errno);
      data.remove_prefix(static_cast<size_t>(written));
    }
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    int result = -1;
    do {
      result = fdatasync(fd_.get());
    } while (result != 0 && errno == EINTR);
    return result == 0 ? absl::OkStatus() : ErrnoError("sync", path_, errno);
  }

  absl::Status Close() override {
    const int fd = fd_.Release();
    if (fd < 0) return absl::OkStatus();
    return close(fd) == 0 ? absl::OkStatus() : ErrnoError("close", path_, errno);
  }

 private:
  FileDescriptor fd_;
  const std::string path_;
};

class PosixRandomAccessFile final : public RandomAccessFile {
 public:
  PosixRandomAccessFile(int fd, uint64_t size_bytes, std::string path)
      : fd_(fd), size_bytes_(size_bytes), path_(std::move(path)) {}

  uint64_t size_bytes() const override { return size_bytes_; }

  absl::Status Read(uint64_t offset, size_t length, std::string& out) const override {
    if (offset >= size_bytes_) length = 0;
    out.resize(static_cast<size_t>(std::min<uint64_t>(length, size_bytes_ - std::min(offset, size_bytes_))));
    size_t done = 0;
    while (done < out.size()) {
      const ssize_t got = pread(fd_.get(), &out[done], out.size() - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return ErrnoError("read", path_, errno);
      if (got == 0) break;  // the file became shorter
      done += static_cast<size_t>(got);
    }
    out.resize(done);
    return absl::OkStatus();
  }

 private:
  FileDescriptor fd_;
  const uint64_t size_bytes_;
  const std::string path_;
};

class PosixMappedFile final : public MappedFile {
 public:
  PosixMappedFile(void* address, size_t size) : address_(address), size_(size) {}
  ~PosixMappedFile() override {
    if (address_ != nullptr) munmap(address_, size_);
  }
  PosixMappedFile(const PosixMappedFile&) = delete;
  PosixMappedFile& operator=(const PosixMappedFile&) = delete;

  absl::string_view data() const override { return {static_cast<const char*>(address_), size_}; }

 private:
  void* const address_;
  const size_t size_;
};

class Posix final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    return OpenForWriting("create", path, O_WRONLY | O_CREAT | O_TRUNC);
  }

  absl::StatusOr<std::unique_ptr<WritableFile>> Append(const std::string& path) override {
    return OpenForWriting("append to", path, O_WRONLY | O_CREAT | O_APPEND);
  }

  absl::StatusOr<std::unique_ptr<RandomAccessFile>> Open(const std::string& path) const override {
    FileDescriptor fd(OpenForReading(path));
    if (fd.get() < 0) return ErrnoError("open", path, errno);
    CLM_ASSIGN_OR_RETURN(const uint64_t size, RegularFileSize(fd.get(), path));
    return std::make_unique<PosixRandomAccessFile>(fd.Release(), size, path);
  }

  absl::StatusOr<std::unique_ptr<MappedFile>> Map(const std::string& path) const override {
    const FileDescriptor fd(OpenForReading(path));
    if (fd.get() < 0) return ErrnoError("open", path, errno);
    CLM_ASSIGN_OR_RETURN(const uint64_t size, RegularFileSize(fd.get(), path));
    if (size == 0) return std::make_unique<PosixMappedFile>(nullptr, 0);
    void* address = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
    if (address == MAP_FAILED) return ErrnoError("map", path, errno);
    return std::make_unique<PosixMappedFile>(address, size);
  }

  absl::StatusOr<uint64_t> SizeBytes(const std::string& path) const override {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) return ErrnoError("examine", path, errno);
    return static_cast<uint64_t>(info.st_size);
  }

  bool Exists(const std::string& path) const override {
    struct stat info {};
    return stat(path.c_str(), &info) == 0;
  }

  absl::StatusOr<bool> IsDirectory(const std::string& path) const override {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) return ErrnoError("examine", path, errno);
    return S_ISDIR(info.st_mode);
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& path) const override {
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator it(path, error);
    while (!error && it != std::filesystem::directory_iterator()) {
      names.push_back(it->path().filename().string());
      it.increment(error);
    }
    if (error) return FilesystemError("list", path, error);
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::Status MakeDirectories(const std::string& path) override {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    return error ? FilesystemError("create folder", path, error) : absl::OkStatus();
  }

  absl::Status Truncate(const std::string& path, uint64_t size_bytes) override {
    return truncate(path.c_str(), static_cast<off_t>(size_bytes)) == 0 ? absl::OkStatus()
                                                                       : ErrnoError("truncate", path, errno);
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    return rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus()
                                                 : ErrnoError("rename", absl::StrCat(from, " to ", to), errno);
  }

  absl::Status RemoveFile(const std::string& path) override {
    return unlink(path.c_str()) == 0 ? absl::OkStatus() : ErrnoError("remove", path, errno);
  }

  absl::Status RemoveTree(const std::string& path) override {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    return error ? FilesystemError("remove", path, error) : absl::OkStatus();
  }

  absl::Status SyncDirectory(const std::string& path) override {
    const FileDescriptor fd(OpenRetrying(path, O_RDONLY | O_DIRECTORY));
    if (fd.get() < 0) return ErrnoError("open folder", path, errno);
    return fsync(fd.get()) == 0 ? absl::OkStatus() : ErrnoError("sync folder", path, errno);
  }

 private:
  static absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWriting(absl::string_view operation,
                                                                      const std::string& path, int flags) {
    constexpr mode_t kMode = 0644;
    const int fd = OpenRetrying(path, flags, kMode);
    if (fd < 0) return ErrnoError(operation, path, errno);
    return std::make_unique<PosixWritableFile>(fd, path);
  }
};

std::string ParentOf(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

// Syncs every file and folder below `root`, children before parents.
absl::Status SyncTree(FileSystem& files, const std::string& root) {
  std::vector<std::string> folders = {root};
  for (size_t i = 0; i < folders.size(); ++i) {
    const std::string folder = folders[i];
    CLM_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(folder));
    for (const std::string& name : names) {
      const std::string path = JoinPath(folder, name);
      CLM_ASSIGN_OR_RETURN(const bool is_directory, files.IsDirectory(path));
      if (is_directory) {
        folders.push_back(path);
        continue;
      }
      CLM_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files.Append(path));
      CLM_RETURN_IF_ERROR(file->Sync());
      CLM_RETURN_IF_ERROR(file->Close());
    }
  }
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
    CLM_RETURN_IF_ERROR(files.SyncDirectory(*folder));
  }
  return absl::OkStatus();
}

class PosixFolderLock final : public FolderLock {
 public:
  explicit PosixFolderLock(int fd) : fd_(fd) {}

 private:
  FileDescriptor fd_;  // closing it gives the lock back
};

}  // namespace

FileSystem& PosixFileSystem() {
  static Posix* const kFiles = new Posix;
  return *kFiles;
}

absl::StatusOr<std::string> ReadFile(const FileSystem& files, const std::string& path, uint64_t limit_bytes) {
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file, files.Open(path));
  if (file->size_bytes() > limit_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat(path, " has ", file->size_bytes(), " bytes, the limit is ", limit_bytes));
  }
  std::string data;
  CLM_RETURN_IF_ERROR(file->Read(0, static_cast<size_t>(file->size_bytes()), data));
  return data;
}

absl::Status WriteFileAtomically(FileSystem& files, const std::string& path, absl::string_view data) {
  const std::string temporary = absl::StrCat(path, ".tmp");
  const auto write = [&]() -> absl::Status {
    CLM_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files.Create(temporary));
    CLM_RETURN_IF_ERROR(file->Append(data));
    CLM_RETURN_IF_ERROR(file->Sync());
    CLM_RETURN_IF_ERROR(file->Close());
    return files.Rename(temporary, path);
  };
  if (absl::Status status = write(); !status.ok()) {
    files.RemoveFile(temporary).IgnoreError();  // may not exist
    return status;
  }
  return files.SyncDirectory(ParentOf(path));
}

absl::Status MakeDurableDirectories(FileSystem& files, const std::string& path) {
  std::vector<std::string> missing;  // children before parents
  for (std::string at = path; !files.Exists(at); at = ParentOf(at)) missing.push_back(at);
  for (auto at = missing.rbegin(); at != missing.rend(); ++at) {
    CLM_RETURN_IF_ERROR(files.MakeDirectories(*at));
    CLM_RETURN_IF_ERROR(files.SyncDirectory(ParentOf(*at)));
  }
  return absl::OkStatus();
}

absl::Status PublishDirectory(FileSystem& files, const std::string& from, const std::string& to) {
  if (files.Exists(to)) return absl::AlreadyExistsError(absl::StrCat("cannot publish ", from, ": ", to, " exists"));
  CLM_RETURN_IF_ERROR(SyncTree(files, from));
  CLM_RETURN_IF_ERROR(files.Rename(from, to));
  return files.SyncDirectory(ParentOf(to));
}

std::string JoinPath(absl::string_view left, absl::string_view right) {
  if (left.empty()) return std::string(right);
  return absl::StrCat(absl::StripSuffix(left, "/"), "/", absl::StripPrefix(right, "/"));
}

absl::StatusOr<std::unique_ptr<FolderLock>> LockFolder(const std::string& path) {
  const std::string name = JoinPath(path, "LOCK");
  FileDescriptor fd(OpenRetrying(name, O_RDWR | O_CREAT, 0644));
  if (fd.get() < 0) return ErrnoError("open", name, errno);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return ErrnoError("lock", name, errno);
    char holder[24] = {};
    const ssize_t length = pread(fd.get(), holder, sizeof(holder), 0);
    const absl::string_view process(holder, static_cast<size_t>(std::max<ssize_t>(length, 0)));
    // A holder that has just come may not have written its number yet.
    return absl::FailedPreconditionError(
        absl::StrCat("folder ", path, " is in use by ", process.empty() ? "another process" : "process ", process));
  }
  const std::string self = absl::StrCat(getpid());
  if (ftruncate(fd.get(), 0) != 0 || pwrite(fd.get(), self.data(), self.size(), 0) < 0) {
    return ErrnoError("write", name, errno);
  }
  return std::make_unique<PosixFolderLock>(fd.Release());
}

}  // namespace clm
