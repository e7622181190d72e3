// DocumentSpool: the documents of one split in a working file, so that several passes read them without decompressing,
// parsing and splitting again.
//
//   document   length u64, little-endian | bytes      one after the other, nothing else
//
// A working file of one process: it is read back by the code that wrote it, but still checked (DATA_LOSS).
//
// Thread-safety: a writer belongs to one thread; a spool is immutable and may be shared. Memory: the writer buffers 1
// MiB; the spool maps its file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"
#include "core/base/file_io.h"

namespace clm {

class DocumentSpoolWriter {
 public:
  static absl::StatusOr<std::unique_ptr<DocumentSpoolWriter>> Create(FileSystem& files, const std::string& path);

  absl::Status Append(absl::string_view document);
  absl::Status Finish();

 private:
  explicit DocumentSpoolWriter(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}

  std::unique_ptr<WritableFile> file_;
  std::string buffer_;
};

class DocumentSpool {
 public:
  static absl::StatusOr<std::unique_ptr<DocumentSpool>> Open(const FileSystem& files, const std::string& path);

  uint64_t documents() const { return documents_.size(); }
  uint64_t bytes() const { return bytes_; }
  // Requires index < documents(). Valid while the spool lives.
  absl::string_view Document(uint64_t index) const { return documents_[index]; }

 private:
  explicit DocumentSpool(std::unique_ptr<MappedFile> file) : file_(std::move(file)) {}

  std::unique_ptr<MappedFile> file_;
  std::vector<absl::string_view> documents_;  // into file_
  uint64_t bytes_ = 0;
};

}  // namespace clm
