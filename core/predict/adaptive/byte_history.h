// ByteHistory: the last 2^size_log2 bytes, by their position in the stream.
//
// Thread-safety: none. Memory: 2^size_log2 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace clm {

class ByteHistory {
 public:
  explicit ByteHistory(int size_log2) : ring_(size_t{1} << size_log2) {}

  // Forgets everything; the ring is cleared so that equal inputs read equal bytes.
  void Reset() {
    ring_.assign(ring_.size(), 0);
    end_ = 0;
  }
  void Push(uint8_t byte) {
    ring_[end_ & (ring_.size() - 1)] = byte;
    ++end_;
  }
  // The byte at `position`; whatever lies there now when it is no longer or not yet held.
  uint8_t At(uint64_t position) const { return ring_[position & (ring_.size() - 1)]; }
  // Bytes pushed: the position of the next one.
  uint64_t end() const { return end_; }
  size_t size() const { return ring_.size(); }

 private:
  std::vector<uint8_t> ring_;
  uint64_t end_ = 0;
};

}  // namespace clm
