// RecordFile: a working file of byte records, written once from front to back and read the same way.
//
//   block    payload length u32, little-endian | CRC-32C of the payload u32 | payload
//   payload  records: length varint | bytes
//
// Blocks close at kRecordBlockBytes; a longer record has a block of its own. The reader trusts nothing: DATA_LOSS, with
// the path, for what was not written by the writer. Thread-safety: one thread each. Memory: one block each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file_io.h"

namespace clm {

inline constexpr size_t kRecordBlockBytes = size_t{1} << 16;

// LEB128: seven bits per byte, lowest first.
void AppendVarint(uint64_t value, std::string& out);
// Takes a varint off the front of `in`; false, and nothing taken, when there is none.
[[nodiscard]] bool TakeVarint(absl::string_view& in, uint64_t& value);

class RecordWriter {
 public:
  static absl::StatusOr<std::unique_ptr<RecordWriter>> Create(FileSystem& files, const std::string& path);

  absl::Status Append(absl::string_view record);
  // Must be called once, at the end. `sync`: the file shall survive a crash.
  absl::Status Finish(bool sync);

  uint64_t records() const { return records_; }

 private:
  explicit RecordWriter(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}
  absl::Status WriteBlock();

  std::unique_ptr<WritableFile> file_;
  std::string payload_;
  std::string block_;
  uint64_t records_ = 0;
};

class RecordReader {
 public:
  static absl::StatusOr<std::unique_ptr<RecordReader>> Open(const FileSystem& files, const std::string& path);

  // The next record into `record` (valid until the next call); false at the end of the file.
  absl::StatusOr<bool> Next(absl::string_view& record);

 private:
  RecordReader(std::unique_ptr<RandomAccessFile> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}
  absl::Status ReadBlock();
  absl::Status Damaged(absl::string_view what) const;

  std::unique_ptr<RandomAccessFile> file_;
  std::string path_;
  uint64_t offset_ = 0;
  std::string block_;
  absl::string_view rest_;  // of block_
};

}  // namespace clm
