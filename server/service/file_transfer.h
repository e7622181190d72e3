// The file-to-file mode of Encode and Decode: reading, and writing so that an output is whole or not there.
//
// Thread-safety: one thread at a time. Ownership: the FileSystem outlives everything here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clm/v1/codec.pb.h"
#include "core/base/digest.h"
#include "core/base/file_io.h"
#include "core/base/status_macros.h"
#include "server/service/call.h"
#include "server/service/error_detail.h"
#include "server/service/server_paths.h"
#include "server/service/streams.h"

namespace clm {

// A file from its beginning to its end, with the digest of what was read.
class FileInput {
 public:
  static constexpr size_t kPieceBytes = size_t{256} << 10;

  static absl::StatusOr<FileInput> Open(FileSystem& files, const std::string& path);

  // The next piece; false, and empty, at the end.
  absl::StatusOr<bool> Next(std::string& piece);
  uint64_t bytes() const { return offset_; }
  // Of everything read so far, 64 hex digits. Once.
  std::string TakeSha256() { return ToHex(digest_.Finish()); }

 private:
  explicit FileInput(std::unique_ptr<RandomAccessFile> file) : file_(std::move(file)) {}

  std::unique_ptr<RandomAccessFile> file_;
  uint64_t offset_ = 0;
  Sha256 digest_;
};

// A file under a temporary name beside its own, ".<16 hex digits>.clm-tmp", until Commit().
class FileOutput {
 public:
  static absl::StatusOr<std::unique_ptr<FileOutput>> Create(FileSystem& files, const std::string& path, bool overwrite);
  // Removes what was not committed.
  ~FileOutput();
  FileOutput(const FileOutput&) = delete;
  FileOutput& operator=(const FileOutput&) = delete;

  absl::Status Append(absl::string_view data);
  // Data on disk, then the name: after a crash the path holds what it held before or all of this.
  absl::Status Commit();

  uint64_t bytes() const { return bytes_; }
  // Of everything written, 64 hex digits. Once.
  std::string TakeSha256() { return ToHex(digest_.Finish()); }

 private:
  FileOutput(FileSystem& files, const std::string& path, bool overwrite);
  absl::Status CheckFree() const;

  FileSystem& files_;
  const std::string path_;
  const std::string temporary_;
  const bool overwrite_;
  std::unique_ptr<WritableFile> file_;
  bool committed_ = false;
  uint64_t bytes_ = 0;
  Sha256 digest_;
};

// Both ends of a request's `files`. INVALID_ARGUMENT when they are the same file or the output is a folder;
// ALREADY_EXISTS with reason OUTPUT_EXISTS for an output that is there and may not be replaced; NOT_FOUND for an input,
// or a folder of the output, that is not there; otherwise as ServerPaths and FileSystem say.
struct FileTransfer {
  FileInput input;
  std::unique_ptr<FileOutput> output;
};
absl::StatusOr<FileTransfer> OpenFileTransfer(const ServerPaths& paths, const v1::FilePaths& request);

// The messages of a stream, written to a file. `data` is the field that holds the bytes of a message.
template <typename Message>
class FileMessageWriter final : public MessageWriter<Message> {
 public:
  using Field = const std::string& (Message::*)() const;

  FileMessageWriter(FileOutput& output, Field data) : output_(output), data_(data) {}
  absl::Status Write(const Message& message) override { return output_.Append((message.*data_)()); }

 private:
  FileOutput& output_;
  const Field data_;
};

// INVALID_ARGUMENT unless the stream ends here.
template <typename Request>
absl::Status ExpectEnd(MessageReader<Request>& reader) {
  Request message;
  CLM_ASSIGN_OR_RETURN(const bool there, reader.Read(message));
  return there ? InvalidField("start.files", "is given, so no message may follow") : absl::OkStatus();
}

// Commits the output and says what became of both files. The rate is `original_bytes` over the time since the
// call began.
absl::StatusOr<v1::FileReport> FinishFileTransfer(FileTransfer& transfer, uint64_t original_bytes, const Call& call);

}  // namespace clm
