#include "server/service/file_transfer.h"

#include <unistd.h>

#include <atomic>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace clm {
namespace {

std::string FolderOf(const std::string& path) { return std::filesystem::path(path).parent_path().string(); }

// Different for every output of every process, and not to be guessed by those who could put a link there.
std::string TemporaryNameFor(const std::string& path) {
  static std::atomic<uint64_t> next{0};
  const std::string digits =
      Sha256Hex(absl::StrCat(absl::GetCurrentTimeNanos(), " ", getpid(), " ", next.fetch_add(1))).substr(0, 16);
  return JoinPath(FolderOf(path), absl::StrCat(".", digits, ".clm-tmp"));
}

}  // namespace

absl::StatusOr<FileInput> FileInput::Open(FileSystem& files, const std::string& path) {
  CLM_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, files.Open(path));
  return FileInput(std::move(file));
}

absl::StatusOr<bool> FileInput::Next(std::string& piece) {
  CLM_RETURN_IF_ERROR(file_->Read(offset_, kPieceBytes, piece));
  digest_.Update(piece);
  offset_ += piece.size();
  return !piece.empty();
}

FileOutput::FileOutput(FileSystem& files, const std::string& path, bool overwrite)
    : files_(files), path_(path), temporary_(TemporaryNameFor(path)), overwrite_(overwrite) {}

FileOutput::~FileOutput() {
  if (committed_ || file_ == nullptr) return;
  file_.reset();
  files_.RemoveFile(temporary_).IgnoreError();  // nothing better can be done
}

absl::Status FileOutput::CheckFree() const {
  if (!files_.Exists(path_)) return absl::OkStatus();
  CLM_ASSIGN_OR_RETURN(const bool is_folder, files_.IsDirectory(path_));
  if (is_folder) return InvalidField("start.files.output_path", absl::StrCat(path_, " is a folder"));
  if (overwrite_) return absl::OkStatus();
  return WithReason(absl::AlreadyExistsError(absl::StrCat(path_, " exists, and overwrite is not asked for")),
                    "OUTPUT_EXISTS", {{"path", path_}});
}

absl::StatusOr<std::unique_ptr<FileOutput>> FileOutput::Create(FileSystem& files, const std::string& path,
                                                               bool overwrite) {
  std::unique_ptr<FileOutput> output(new FileOutput(files, path, overwrite));
  CLM_RETURN_IF_ERROR(output->CheckFree());
  const std::string folder = FolderOf(path);
  if (!files.Exists(folder)) return absl::NotFoundError(absl::StrCat("the folder ", folder, " is not there"));
  CLM_ASSIGN_OR_RETURN(output->file_, files.Create(output->temporary_));
  return output;
}

absl::Status FileOutput::Append(absl::string_view data) {
  CLM_RETURN_IF_ERROR(file_->Append(data));
  digest_.Update(data);
  bytes_ += data.size();
  return absl::OkStatus();
}

absl::Status FileOutput::Commit() {
  CLM_RETURN_IF_ERROR(file_->Sync());
  CLM_RETURN_IF_ERROR(file_->Close());
  CLM_RETURN_IF_ERROR(CheckFree());  // somebody else may have been faster
  CLM_RETURN_IF_ERROR(files_.Rename(temporary_, path_));
  committed_ = true;
  return files_.SyncDirectory(FolderOf(path_));
}

absl::StatusOr<FileTransfer> OpenFileTransfer(const ServerPaths& paths, const v1::FilePaths& request) {
  CLM_ASSIGN_OR_RETURN(const std::string from, paths.Readable("start.files.input_path", request.input_path()));
  CLM_ASSIGN_OR_RETURN(const std::string to, paths.Writable("start.files.output_path", request.output_path()));
  std::error_code not_there;
  if (from == to || std::filesystem::equivalent(from, to, not_there)) {
    return InvalidField("start.files.output_path", absl::StrCat(to, " is the input"));
  }
  CLM_ASSIGN_OR_RETURN(FileInput input, FileInput::Open(*paths.files, from));
  CLM_ASSIGN_OR_RETURN(std::unique_ptr<FileOutput> output, FileOutput::Create(*paths.files, to, request.overwrite()));
  return FileTransfer{std::move(input), std::move(output)};
}

absl::StatusOr<v1::FileReport> FinishFileTransfer(FileTransfer& transfer, uint64_t original_bytes, const Call& call) {
  CLM_RETURN_IF_ERROR(call.cancel().Check());  // who has left does not find an output later
  CLM_RETURN_IF_ERROR(transfer.output->Commit());
  v1::FileReport report;
  report.set_input_bytes(transfer.input.bytes());
  report.set_input_sha256(transfer.input.TakeSha256());
  report.set_output_bytes(transfer.output->bytes());
  report.set_output_sha256(transfer.output->TakeSha256());
  const double seconds = absl::ToDoubleSeconds(call.elapsed());
  report.set_seconds(seconds);
  report.set_bytes_per_second(seconds > 0 ? static_cast<double>(original_bytes) / seconds : 0);
  return report;
}

}  // namespace clm
