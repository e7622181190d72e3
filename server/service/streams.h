// Streams of messages, as handlers see them: without gRPC, so that handlers compile and are tested without it.
//
// Thread-safety: one thread at a time; one reader and one writer of a call may be used from two threads.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace clm {

template <typename Message>
class MessageReader {
 public:
  virtual ~MessageReader() = default;
  // false when the caller has said everything. CANCELLED or DEADLINE_EXCEEDED when it is gone.
  virtual absl::StatusOr<bool> Read(Message& message) = 0;
};

template <typename Message>
class MessageWriter {
 public:
  virtual ~MessageWriter() = default;
  // Waits until there is room. CANCELLED or DEADLINE_EXCEEDED when the caller is gone.
  virtual absl::Status Write(const Message& message) = 0;
};

}  // namespace clm
