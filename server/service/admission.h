// CallAdmission: how many calls of a kind may run at the same time, and none any more while the server drains.
//
// Thread-safety: thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace clm {

struct AdmissionLimits {
  // Each of Encode, Decode, Compress, Decompress, Generate, UploadArtifact, DownloadArtifact. Range [1, 1024].
  size_t per_method = 8;
  // All WatchJob streams together. They cost a thread each and wait most of the time.
  size_t watches = 256;
  // All other calls together.
  size_t others = 256;
  // How long a refused caller should wait.
  absl::Duration retry_delay = absl::Seconds(1);

  // Calls that can run at the same time, whatever their kind.
  size_t Total() const;
};

class CallAdmission {
 public:
  explicit CallAdmission(AdmissionLimits limits) : limits_(limits) {}

  // A place for one call of `method` ("CompressionService/Encode"). Leave() gives it back after OK.
  // RESOURCE_EXHAUSTED with reason TOO_MANY_CALLS and retry advice; UNAVAILABLE with reason SHUTTING_DOWN after
  // Drain().
  absl::Status Enter(absl::string_view method) ABSL_LOCKS_EXCLUDED(mu_);
  void Leave(absl::string_view method) ABSL_LOCKS_EXCLUDED(mu_);

  // Refuses every call from now on.
  void Drain() ABSL_LOCKS_EXCLUDED(mu_);
  // Waits until no call runs, at most `timeout`. Whether that came true.
  bool WaitUntilIdle(absl::Duration timeout) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Group {
    std::string name;
    size_t limit;
  };
  Group GroupOf(absl::string_view method) const;

  const AdmissionLimits limits_;

  absl::Mutex mu_;
  std::map<std::string, size_t, std::less<>> running_ ABSL_GUARDED_BY(mu_);  // by group
  size_t total_ ABSL_GUARDED_BY(mu_) = 0;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace clm
