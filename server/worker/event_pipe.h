// EventPipe: what clm_worker tells its parent, as length-prefixed clm.v1.WorkerEvent messages.
//
//   event   length u32, little-endian | serialised WorkerEvent
//
// Thread-safety: events may be sent from any thread; they are never interleaved. A parent that is gone (EPIPE) is not
// an error of the worker: it goes on until it is told to stop.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "clm/v1/job.pb.h"

namespace clm {

class EventPipe {
 public:
  // Writes to `fd`, which stays the caller's. A negative fd drops every event.
  explicit EventPipe(int fd) : fd_(fd) {}

  void Send(const v1::WorkerEvent& event);

 private:
  const int fd_;
  absl::Mutex mu_;
  bool broken_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace clm
