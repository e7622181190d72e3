// WorkerLog: what a worker says, kept on disk within a limit and in memory as its last lines.
//
// The file always ends with what came last: when it would grow beyond the limit, it starts anew. A file that cannot be
// written (full disk) costs the log, never the job.
// Thread-safety: none; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/file_io.h"

namespace clm {

class WorkerLog {
 public:
  static constexpr size_t kTailLines = 20;
  // A longer line is cut in the tail, not in the file.
  static constexpr size_t kMaxTailLineBytes = 1024;

  // Continues the file `path`. `files` outlives the log. Range of `limit_bytes`: [4096, ..].
  WorkerLog(FileSystem& files, std::string path, uint64_t limit_bytes);

  // Bytes of the worker's output, cut anywhere.
  void Append(absl::string_view bytes);

  // The last lines, oldest first, an unfinished one included; invalid UTF-8 is replaced by '?'.
  std::vector<std::string> Tail() const;

 private:
  void Write(absl::string_view bytes);
  void AddToTail(absl::string_view bytes);

  FileSystem& files_;
  const std::string path_;
  const uint64_t limit_bytes_;
  std::unique_ptr<WritableFile> file_;
  uint64_t size_bytes_ = 0;
  std::deque<std::string> lines_;  // finished ones
  std::string line_;               // being written
};

}  // namespace clm
