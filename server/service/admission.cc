#include "server/service/admission.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "server/service/error_detail.h"

namespace clm {
namespace {

constexpr std::array<const char*, 7> kHeavyMethods = {
    "CompressionService/Encode",       "CompressionService/Decode",   "CompressionService/Compress",
    "CompressionService/Decompress",   "CompressionService/Generate", "ArtifactService/UploadArtifact",
    "ArtifactService/DownloadArtifact"};

}  // namespace

size_t AdmissionLimits::Total() const { return kHeavyMethods.size() * per_method + watches + others; }

CallAdmission::Group CallAdmission::GroupOf(absl::string_view method) const {
  const bool heavy = std::find(kHeavyMethods.begin(), kHeavyMethods.end(), method) != kHeavyMethods.end();
  if (heavy) return {.name = std::string(method), .limit = limits_.per_method};
  if (method == "JobService/WatchJob") return {.name = std::string(method), .limit = limits_.watches};
  return {.name = "others", .limit = limits_.others};
}

absl::Status CallAdmission::Enter(absl::string_view method) {
  const Group group = GroupOf(method);
  absl::MutexLock lock(&mu_);
  if (draining_) return WithReason(absl::UnavailableError("the server is shutting down"), "SHUTTING_DOWN");
  size_t& running = running_[group.name];
  if (running >= group.limit) {
    const std::string limit = absl::StrCat(group.limit);
    return WithRetry(WithReason(absl::ResourceExhaustedError(absl::StrCat(running, " calls of ", group.name,
                                                                          " are running, the limit is ", limit)),
                                "TOO_MANY_CALLS", {{"method", method}, {"limit", limit}}),
                     limits_.retry_delay);
  }
  ++running;
  ++total_;
  return absl::OkStatus();
}

void CallAdmission::Leave(absl::string_view method) {
  const Group group = GroupOf(method);
  absl::MutexLock lock(&mu_);
  --running_[group.name];
  --total_;
}

void CallAdmission::Drain() {
  absl::MutexLock lock(&mu_);
  draining_ = true;
}

bool CallAdmission::WaitUntilIdle(absl::Duration timeout) {
  absl::MutexLock lock(&mu_);
  const auto idle = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return total_ == 0; };
  return mu_.AwaitWithTimeout(absl::Condition(&idle), timeout);
}

}  // namespace clm
