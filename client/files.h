// Input and output of commands: a path, or "-" for stdin and stdout.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file_io.h"

namespace clm::client {

// Reads a file or stdin in pieces. Not thread-safe.
class Input {
 public:
  static absl::StatusOr<std::unique_ptr<Input>> Open(const std::string& path);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  // Up to `limit_bytes` bytes; empty at the end.
  absl::StatusOr<std::string> Read(size_t limit_bytes);
  // Reads everything; RESOURCE_EXHAUSTED beyond the limit.
  absl::StatusOr<std::string> ReadAll(size_t limit_bytes);

 private:
  Input(std::FILE* file, bool owned, std::string path) : file_(file), owned_(owned), path_(std::move(path)) {}

  std::FILE* file_;
  const bool owned_;
  const std::string path_;
};

// Writes a file or stdout. A file appears under its name only when Commit() succeeds; until then the data lies beside
// it under "<name>.part", which is removed when the command fails. Not thread-safe.
class Output {
 public:
  static absl::StatusOr<std::unique_ptr<Output>> Create(const std::string& path);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  absl::Status Write(absl::string_view data);
  absl::Status Commit();
  uint64_t bytes_written() const { return bytes_written_; }

 private:
  Output(std::string path, std::unique_ptr<WritableFile> file) : path_(std::move(path)), file_(std::move(file)) {}

  const std::string path_;  // "-" for stdout
  std::unique_ptr<WritableFile> file_;
  uint64_t bytes_written_ = 0;
};

}  // namespace clm::client
