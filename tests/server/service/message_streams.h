// Streams of messages from and to memory.
#pragma once

#include <deque>
#include <utility>
#include <vector>

#include "server/service/streams.h"

namespace clm::testing {

// Gives the messages one after the other, then `end`.
template <typename Message>
class FakeReader final : public MessageReader<Message> {
 public:
  explicit FakeReader(std::deque<Message> messages, absl::Status end = absl::OkStatus())
      : messages_(std::move(messages)), end_(std::move(end)) {}

  absl::StatusOr<bool> Read(Message& message) override {
    if (messages_.empty()) {
      if (!end_.ok()) return end_;
      return false;
    }
    message = std::move(messages_.front());
    messages_.pop_front();
    return true;
  }

 private:
  std::deque<Message> messages_;
  const absl::Status end_;
};

// Keeps the messages; fails after `room` of them.
template <typename Message>
class FakeWriter final : public MessageWriter<Message> {
 public:
  explicit FakeWriter(size_t room = static_cast<size_t>(-1)) : room_(room) {}

  absl::Status Write(const Message& message) override {
    if (messages.size() >= room_) return absl::CancelledError("the caller is gone");
    messages.push_back(message);
    return absl::OkStatus();
  }

  std::vector<Message> messages;

 private:
  const size_t room_;
};

}  // namespace clm::testing
