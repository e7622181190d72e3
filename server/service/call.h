// Call: what a handler may know about the call that it serves.
//
// Thread-safety: cancel() may be used from any thread; the rest by the thread that serves the call, except where said.
// Ownership: made by Serve(), lives as long as the handler runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/cancellation.h"
#include "core/base/clock.h"

namespace clm {

class Call {
 public:
  Call(absl::string_view method, std::string request_id, const Clock& clock = SystemClock())
      : method_(method), request_id_(std::move(request_id)), clock_(clock), start_(clock.Monotonic()) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // "JobService/GetJob".
  const std::string& method() const { return method_; }
  const std::string& request_id() const { return request_id_; }
  // CANCELLED when the caller is gone, DEADLINE_EXCEEDED when the deadline passed or the stream stood still too long.
  // Follows the caller within about 50 ms.
  CancellationToken cancel() const { return source_.token(); }
  absl::Duration elapsed() const { return clock_.Monotonic() - start_; }

  // While one of these lives, the call waits for its peer: for a message, or for room to send one. A peer that makes us
  // wait longer than the idle timeout loses the call. Two may live at once, one for each direction: then the peer
  // stands still only while neither of them ends.
  class PeerWait {
   public:
    explicit PeerWait(Call& call) : call_(call) {
      if (call_.waits_ == 0) call_.StampPeer();  // before it counts: whoever looks must not see an old stamp
      ++call_.waits_;
    }
    ~PeerWait() {
      call_.StampPeer();
      --call_.waits_;
    }
    PeerWait(const PeerWait&) = delete;
    PeerWait& operator=(const PeerWait&) = delete;

   private:
    Call& call_;
  };

  // For the watchdog; any thread
  // ---------------------------------------------------------------------------------------

  CancellationSource& source() { return source_; }
  // How long the call has been waiting for its peer; 0 when it is not.
  absl::Duration waiting() const {
    if (waits_ == 0) return absl::ZeroDuration();
    const absl::Duration since = absl::Nanoseconds(peer_stamp_ns_.load());  // after the count, so never an old one
    return clock_.Monotonic() - since;
  }
  void set_idle_cut() { idle_cut_ = true; }
  // The idle timeout ended the call.
  bool idle_cut() const { return idle_cut_; }

 private:
  void StampPeer() { peer_stamp_ns_ = absl::ToInt64Nanoseconds(clock_.Monotonic()); }

  const std::string method_;
  const std::string request_id_;
  const Clock& clock_;
  const absl::Duration start_;
  CancellationSource source_;
  std::atomic<int> waits_{0};
  std::atomic<int64_t> peer_stamp_ns_{0};  // when the first wait began or the last one ended
  std::atomic<bool> idle_cut_{false};
};

}  // namespace clm
