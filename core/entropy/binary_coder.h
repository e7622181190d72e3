// Binary arithmetic coder: one bit at a time, each with its own probability.
//
//   payload   the leading bytes of a number in the last interval; whatever follows them counts as zero
//
// The interval [low, high] of 64-bit numbers starts whole and is split at every bit in proportion to the probability;
// bytes that low and high share are settled and leave at the top. The tail is the shortest that is still in the
// interval, so a payload has exactly one legal form: BinaryDecoder::Finished refuses every other.
// Cost: information content plus at most 2 bytes and about 10^-9 relative.
//
// Source: J. Rissanen, G. Langdon, "Arithmetic coding", 1979; without carry as in M. Mahoney, "The PAQ1 data
// compression program", 2002.
//
// Thread-safety: none; one object per payload. Ownership: the encoder owns its bytes, the decoder points into the
// payload. Errors: none; any payload gives some bits, and Finished says whether they are those that were encoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/string_view.h"

namespace clm {

// What encoder and decoder do alike. Invariant: low <= high, and their top bytes differ between two bits.
struct BinaryInterval {
  uint64_t low = 0;
  uint64_t high = std::numeric_limits<uint64_t>::max();

  // The last number of the part for a one. Requires 0 < probability_of_one < 65536. In [low, high) as low < high.
  uint64_t Split(uint32_t probability_of_one) const {
    const uint64_t range = high - low;
    return low + (range >> 16) * probability_of_one + (((range & 0xffff) * probability_of_one) >> 16);
  }
  void Narrow(int bit, uint64_t split) {
    if (bit != 0) {
      high = split;
    } else {
      low = split + 1;
    }
  }
  bool TopByteSettled() const { return ((low ^ high) >> 56) == 0; }
  void Shift() {
    low <<= 8;
    high = (high << 8) | 255;
  }
  // The number in the interval with the fewest leading bytes that are followed by zeros only; `bytes`: how many.
  uint64_t Shortest(size_t& bytes) const {
    bytes = 0;
    if (low == 0) return 0;
    for (bytes = 1; bytes < 8; ++bytes) {
      const uint64_t rest = std::numeric_limits<uint64_t>::max() >> (8 * bytes);
      const uint64_t rounded = (low & ~rest) + ((low & rest) != 0 ? rest + 1 : 0);
      if (rounded >= low && rounded <= high) return rounded;
    }
    return low;
  }
};

class BinaryEncoder {
 public:
  void Reserve(size_t bytes) { out_.reserve(bytes); }

  // Requires 0 < probability_of_one < 65536, in units of 2^-16.
  void Encode(int bit, uint32_t probability_of_one) {
    interval_.Narrow(bit, interval_.Split(probability_of_one));
    while (interval_.TopByteSettled()) {
      out_.push_back(static_cast<char>(static_cast<uint8_t>(interval_.high >> 56)));
      interval_.Shift();
    }
  }

  // The payload of every bit so far; the encoder starts anew afterwards.
  std::string Finish() {
    size_t bytes = 0;
    uint64_t tail = interval_.Shortest(bytes);
    for (; bytes > 0; --bytes, tail <<= 8) out_.push_back(static_cast<char>(static_cast<uint8_t>(tail >> 56)));
    interval_ = {};
    std::string payload;
    payload.swap(out_);
    return payload;
  }

 private:
  BinaryInterval interval_;
  std::string out_;
};

class BinaryDecoder {
 public:
  explicit BinaryDecoder(absl::string_view payload) : payload_(payload) {
    for (int i = 0; i < 8; ++i) code_ = (code_ << 8) | NextByte();
  }

  // The next bit, given the probability it was encoded with.
  int Decode(uint32_t probability_of_one) {
    const uint64_t split = interval_.Split(probability_of_one);
    const int bit = code_ <= split ? 1 : 0;
    interval_.Narrow(bit, split);
    while (interval_.TopByteSettled()) {
      interval_.Shift();
      code_ = (code_ << 8) | NextByte();
    }
    return bit;
  }

  // Whether an encoder of the bits decoded so far would have written exactly this payload.
  bool Finished() const {
    size_t bytes = 0;
    return interval_.Shortest(bytes) == code_ && position_ - 8 + bytes == payload_.size();
  }
  // Whether bytes were asked for that no encoder can have left out: there is no point in going on.
  bool PastEnd() const { return position_ > payload_.size() + 8; }

 private:
  uint64_t NextByte() {
    const size_t at = position_++;
    return at < payload_.size() ? static_cast<uint8_t>(payload_[at]) : 0;
  }

  absl::string_view payload_;
  size_t position_ = 0;  // bytes taken, those beyond the end included
  BinaryInterval interval_;
  uint64_t code_ = 0;
};

}  // namespace clm
