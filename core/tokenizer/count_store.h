// CountStore: how often each piece occurred, in bounded memory.
//
// A PieceCounter that, when it is full, is written to a scratch file in order of the pieces (a run) and begins anew.
// Runs are merged when the counts are read, so what comes out does not depend on the limit.
//
// Thread-safety: one thread per store. Memory: the limit, or what one piece needs; while reading runs, 128 KiB for each
// of at most 64.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/cancellation.h"
#include "core/base/file_io.h"
#include "core/tokenizer/piece_counter.h"

namespace clm {

// A folder that nobody else uses, made when its first path is asked for and removed with the object. Thread-safe.
class ScratchFolder {
 public:
  ScratchFolder(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  FileSystem& files() const { return files_; }
  // A path in it that was not given out before.
  absl::StatusOr<std::string> NewPath();

 private:
  FileSystem& files_;
  const std::string path_;
  std::atomic<uint64_t> next_{0};
};

using CountVisitor = std::function<absl::Status(absl::string_view piece, uint64_t count)>;

class CountStore {
 public:
  // Without `scratch` there is no limit. `scratch` must outlive the store.
  CountStore(ScratchFolder* scratch, size_t limit_bytes)
      : scratch_(scratch), counter_(scratch == nullptr ? SIZE_MAX : limit_bytes) {}

  // As of PieceCounter. Errors: those of the file system.
  absl::Status AddPieces(absl::string_view text, size_t begin, std::span<const uint32_t> ends);
  absl::Status Add(absl::string_view piece, uint64_t count);

  // When the table is larger already, it is spilled as soon as it has to grow.
  void set_limit_bytes(size_t limit_bytes);

  const PieceCounter& in_memory() const { return counter_; }
  std::span<const std::string> runs() const { return runs_; }

  // Writes what is in memory to a run and gives the memory back.
  absl::Status Spill();
  // Adds the counts of `other`, which lie below `other_files`.
  absl::Status Absorb(const CountStore& other, const FileSystem& other_files);
  // The same when both use one scratch folder, and `other` is empty afterwards.
  absl::Status Take(CountStore& other);
  // Calls visit(piece, count) once for every different piece. Writes to a run first what is in memory, if there are
  // any.
  absl::Status Visit(const CancellationToken& cancel, const CountVisitor& visit);

 private:
  // At most 64 runs, so that one pass can merge them.
  absl::Status ReduceRuns(const CancellationToken& cancel);
  absl::Status WriteRun();

  ScratchFolder* scratch_;
  PieceCounter counter_;
  std::vector<std::string> runs_;
};

// Calls visit(piece, count) once for every different piece in the runs, in order of its bytes.
absl::Status VisitRuns(const FileSystem& files, std::span<const std::string> runs, const CancellationToken& cancel,
                       const CountVisitor& visit);

}  // namespace clm
