// ChunkSender: sends the answers of a stream on a thread of its own, so that a handler computes the next ones
// meanwhile.
//
// Messages leave in the order in which they were given. Bytes given while earlier ones wait are joined with them into
// messages of at most kMaxChunkOutBytes; nothing is held back while the thread is idle, so a caller that waits for an
// answer before it goes on gets it. At most kMaxWaiting messages wait, then giving waits for the peer: a call holds
// about a MiB, however slowly its caller reads. Short streams never start the thread.
//
// Thread-safety: none; one handler. Ownership: the writer outlives it. An error of the writer is the answer to
// everything that is given later.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "core/base/status_macros.h"
#include "server/service/chunks.h"
#include "server/service/streams.h"

namespace clm {

// `data_of(message)` gives the bytes field of a message, which becomes a data message by that.
template <typename Message, typename DataOf>
class ChunkSender {
 public:
  static constexpr size_t kMaxWaiting = 4;
  // What is written without a thread; a short call is faster that way.
  static constexpr uint64_t kSentDirectly = kMaxChunkOutBytes;

  ChunkSender(MessageWriter<Message>& writer, DataOf data_of) : writer_(writer), data_of_(data_of) {}
  // Waits for the message that is just being written; those that wait are dropped unless Finish() was called.
  ~ChunkSender() {
    {
      absl::MutexLock lock(&mu_);
      waiting_.clear();
      stop_ = true;
    }
    if (thread_.joinable()) thread_.join();
  }
  ChunkSender(const ChunkSender&) = delete;
  ChunkSender& operator=(const ChunkSender&) = delete;

  // Gives `bytes` bytes, which `fill(char* to, size_t offset, size_t count)` writes piece by piece, in order. Pieces
  // are multiples of `unit`, as `bytes` and kMaxChunkOutBytes are.
  template <typename Fill>
  absl::Status Append(size_t bytes, size_t unit, const Fill& fill) {
    for (size_t offset = 0; offset < bytes;) {
      if (sent_directly_ < kSentDirectly) {
        const size_t count = std::min(bytes - offset, kMaxChunkOutBytes);
        FillTo(direct_, offset, count, fill);
        sent_directly_ += count;
        offset += count;
        CLM_RETURN_IF_ERROR(writer_.Write(direct_));
        continue;
      }
      absl::MutexLock lock(&mu_);
      CLM_RETURN_IF_ERROR(MakeRoom());
      std::string& data = data_of_(waiting_.back());
      const size_t room = (kMaxChunkOutBytes - data.size()) / unit * unit;
      const size_t count = std::min(bytes - offset, room);
      FillTo(waiting_.back(), offset, count, fill);
      offset += count;
    }
    return absl::OkStatus();
  }

  absl::Status Append(absl::string_view bytes) {
    return Append(bytes.size(), 1,
                  [bytes](char* to, size_t offset, size_t count) { std::copy_n(bytes.data() + offset, count, to); });
  }

  // Returns when everything that was given has been written, with the first error of the writer.
  absl::Status Finish() {
    if (!thread_.joinable()) return absl::OkStatus();
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(this, &ChunkSender::IsDone));
    return status_;
  }

 private:
  template <typename Fill>
  void FillTo(Message& message, size_t offset, size_t count, const Fill& fill) {
    std::string& data = data_of_(message);
    const size_t before = &message == &direct_ ? 0 : data.size();
    data.resize(before + count);
    fill(data.data() + before, offset, count);
  }

  bool IsDone() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !status_.ok() || (waiting_.empty() && !writing_); }
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return !status_.ok() || waiting_.size() < kMaxWaiting || !IsFull(waiting_.back());
  }
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return stop_ || !waiting_.empty(); }

  bool IsFull(const Message& message) const {
    return data_of_(const_cast<Message&>(message)).size() + sizeof(uint32_t) > kMaxChunkOutBytes;
  }

  // Waits until the last message that waits takes more bytes.
  absl::Status MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
    mu_.Await(absl::Condition(this, &ChunkSender::HasRoom));
    CLM_RETURN_IF_ERROR(status_);
    if (waiting_.empty() || IsFull(waiting_.back())) {
      Message message;
      if (!spare_.empty()) {
        message = std::move(spare_.back());
        spare_.pop_back();
      }
      data_of_(message).clear();
      waiting_.push_back(std::move(message));
    }
    return absl::OkStatus();
  }

  void Run() {
    absl::MutexLock lock(&mu_);
    while (true) {
      mu_.Await(absl::Condition(this, &ChunkSender::HasWork));
      if (stop_) return;
      Message message = std::move(waiting_.front());
      waiting_.pop_front();
      writing_ = true;
      mu_.Unlock();
      const absl::Status status = writer_.Write(message);
      mu_.Lock();
      writing_ = false;
      spare_.push_back(std::move(message));
      if (!status.ok()) {
        status_ = status;
        return;
      }
    }
  }

  MessageWriter<Message>& writer_;
  const DataOf data_of_;
  Message direct_;
  uint64_t sent_directly_ = 0;
  std::thread thread_;

  absl::Mutex mu_;
  std::deque<Message> waiting_ ABSL_GUARDED_BY(mu_);
  std::vector<Message> spare_ ABSL_GUARDED_BY(mu_);  // written, with their buffers; at most kMaxWaiting + 1
  absl::Status status_ ABSL_GUARDED_BY(mu_);
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace clm
