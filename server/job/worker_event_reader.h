// WorkerEventReader: cuts the bytes of a worker's event pipe into clm.v1.WorkerEvent messages.
//
//   stream := { length u32 little-endian | length bytes of a serialized WorkerEvent }
//
// The worker is another process, so nothing about the bytes is taken for granted: a length above the limit and a
// message that cannot be parsed are DATA_LOSS, and the reader stays broken. Thread-safety: none; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clm/v1/job.pb.h"

namespace clm {

class WorkerEventReader {
 public:
  // Longest message; a Train result with its curve has a few hundred KiB.
  static constexpr size_t kMaxEventBytes = size_t{16} << 20;

  // Takes more bytes and returns the messages that they complete. Cost: O(bytes), whatever the cut.
  absl::StatusOr<std::vector<v1::WorkerEvent>> Feed(absl::string_view bytes);

  // No message was begun and not ended.
  bool AtBoundary() const { return buffer_.empty(); }

 private:
  std::string buffer_;
  absl::Status broken_;
};

// The other direction: the bytes of one message, with its length before it.
std::string FrameWorkerEvent(const v1::WorkerEvent& event);

}  // namespace clm
