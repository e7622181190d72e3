#include "client/files.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace clm::client {
namespace {

std::string PartName(const std::string& path) { return path + ".part"; }

}  // namespace

absl::StatusOr<std::unique_ptr<Input>> Input::Open(const std::string& path) {
  if (path == "-") return std::unique_ptr<Input>(new Input(stdin, /*owned=*/false, "stdin"));
  CLM_ASSIGN_OR_RETURN(const bool is_directory, PosixFileSystem().IsDirectory(path));
  if (is_directory) return absl::InvalidArgumentError(absl::StrCat(path, " is a folder, a file is needed"));
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return absl::NotFoundError(absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  return std::unique_ptr<Input>(new Input(file, /*owned=*/true, path));
}

Input::~Input() {
  if (owned_) std::fclose(file_);
}

absl::StatusOr<std::string> Input::Read(size_t limit_bytes) {
  std::string data(limit_bytes, '\0');
  const size_t length = std::fread(data.data(), 1, limit_bytes, file_);
  if (length < limit_bytes && std::ferror(file_) != 0) {
    return absl::InternalError(absl::StrCat("cannot read ", path_, ": ", std::strerror(errno)));
  }
  data.resize(length);
  return data;
}

absl::StatusOr<std::string> Input::ReadAll(size_t limit_bytes) {
  CLM_ASSIGN_OR_RETURN(std::string data, Read(limit_bytes + 1));
  if (data.size() > limit_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(path_, " is longer than the limit of ", limit_bytes, " bytes"));
  }
  return data;
}

absl::StatusOr<std::unique_ptr<Output>> Output::Create(const std::string& path) {
  if (path == "-") return std::unique_ptr<Output>(new Output(path, nullptr));
  CLM_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, PosixFileSystem().Create(PartName(path)));
  return std::unique_ptr<Output>(new Output(path, std::move(file)));
}

Output::~Output() {
  if (file_ == nullptr) return;
  file_.reset();
  PosixFileSystem().RemoveFile(PartName(path_)).IgnoreError();
}

absl::Status Output::Write(absl::string_view data) {
  bytes_written_ += data.size();
  if (path_ != "-") return file_->Append(data);
  if (std::fwrite(data.data(), 1, data.size(), stdout) != data.size()) {
    return absl::InternalError(absl::StrCat("cannot write to stdout: ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

absl::Status Output::Commit() {
  if (path_ == "-") {
    return std::fflush(stdout) == 0 ? absl::OkStatus() : absl::InternalError("cannot write to stdout");
  }
  CLM_RETURN_IF_ERROR(file_->Close());
  file_.reset();
  return PosixFileSystem().Rename(PartName(path_), path_);
}

}  // namespace clm::client
