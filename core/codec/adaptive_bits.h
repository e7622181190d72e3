// Adaptive codes for small numbers over the binary coder: bits that learn their probability, and Elias gamma codes and
// tree paths made of them.
//
// AdaptiveBit      a probability that moves toward what came by 1 / (times seen + 1.5), at least 1 / 512
// AdaptiveElias    numbers of 1 to 2^40: in unary how many bits there are, then these below the leading one; the upper
//                  three of them learn, the others are taken as they are
// AdaptiveTree     numbers of a fixed width, a path from the most significant bit; the upper 18 levels learn
//
// Every code is written once for both directions: `Coder` is BinaryEncoder or BinaryDecoder behind BitWriter and
// BitReader, whose Code(bit, probability) returns the bit that was written or read.
//
// Determinism: integers only. Thread-safety: value types. Errors: reading gives some number for any payload;
// AdaptiveElias gives 0 for one that is too long.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/entropy/binary_coder.h"

namespace clm {

class BitWriter {
 public:
  int Code(int bit, uint32_t probability_of_one) {
    encoder_.Encode(bit, probability_of_one);
    return bit;
  }
  std::string Finish() { return encoder_.Finish(); }

 private:
  BinaryEncoder encoder_;
};

class BitReader {
 public:
  explicit BitReader(absl::string_view payload) : decoder_(payload) {}
  int Code(int /*bit*/, uint32_t probability_of_one) { return decoder_.Decode(probability_of_one); }
  bool Finished() const { return decoder_.Finished(); }
  bool PastEnd() const { return decoder_.PastEnd(); }

 private:
  BinaryDecoder decoder_;
};

class AdaptiveBit {
 public:
  // Codes `bit` (ignored when reading) and learns what came.
  template <typename Coder>
  int Code(Coder& coder, int bit) {
    const int32_t probability = static_cast<int32_t>(state_ >> kCountBits);
    const int came = coder.Code(bit, std::clamp<uint32_t>(state_ >> 16, 1, 65535));
    const uint32_t count = state_ & kCountMask;
    const int32_t target = came != 0 ? kOne - 1 : 0;
    const auto moved =
        static_cast<uint32_t>(probability + (target - probability) * 2 / static_cast<int32_t>(2 * count + 3));
    state_ = (moved << kCountBits) | std::min(count + 1, kMaxCount);
    return came;
  }

 private:
  static constexpr int kCountBits = 10;
  static constexpr uint32_t kCountMask = (uint32_t{1} << kCountBits) - 1;
  static constexpr uint32_t kMaxCount = 510;
  static constexpr int32_t kOne = int32_t{1} << (32 - kCountBits);

  uint32_t state_ = uint32_t{1} << 31;  // probability of a one in 22 bits, and in the lower ten how often it was asked
};

// A bit without memory.
template <typename Coder>
int CodeEvenBit(Coder& coder, int bit) {
  return coder.Code(bit, uint32_t{1} << 15);
}

class AdaptiveElias {
 public:
  static constexpr uint64_t kMaxValue = uint64_t{1} << 40;

  // `contexts` sets of lengths. Requires contexts >= 1.
  explicit AdaptiveElias(size_t contexts) : lengths_(contexts) {}

  // Codes `value` (ignored when reading). Requires 1 <= value <= kMaxValue and context < contexts. 0: read a number
  // above kMaxValue.
  template <typename Coder>
  uint64_t Code(Coder& coder, size_t context, uint64_t value) {
    const int wanted = static_cast<int>(std::bit_width(value)) - 1;
    size_t length = 0;
    while (lengths_[context][length].Code(coder, wanted > static_cast<int>(length) ? 1 : 0) != 0) {
      if (++length == kLengths) return 0;
    }
    uint64_t result = 1;
    for (size_t left = length; left-- > 0;) {
      const int bit = static_cast<int>((value >> left) & 1);
      const bool learns = length - left <= kLearningBits;
      const int came = learns ? below_[length][result].Code(coder, bit) : CodeEvenBit(coder, bit);
      result = (result << 1) | static_cast<uint64_t>(came);
    }
    return result <= kMaxValue ? result : 0;
  }

 private:
  static constexpr size_t kLengths = 41;  // one more than the bits below the leading one of kMaxValue
  static constexpr size_t kLearningBits = 3;

  std::vector<std::array<AdaptiveBit, kLengths>> lengths_;
  std::array<std::array<AdaptiveBit, size_t{1} << kLearningBits>, kLengths> below_{};
};

class AdaptiveTree {
 public:
  // Requires 0 <= width <= 32.
  explicit AdaptiveTree(int width) : width_(width), nodes_(size_t{1} << std::min(width, kLearningLevels)) {}

  // Codes `value` (ignored when reading). Requires value < 2^width.
  template <typename Coder>
  uint32_t Code(Coder& coder, uint32_t value) {
    uint64_t path = 1;
    for (int left = width_; left-- > 0;) {
      const int bit = static_cast<int>((value >> left) & 1);
      const int came = path < nodes_.size() ? nodes_[path].Code(coder, bit) : CodeEvenBit(coder, bit);
      path = (path << 1) | static_cast<uint64_t>(came);
    }
    return static_cast<uint32_t>(path - (uint64_t{1} << width_));
  }

 private:
  static constexpr int kLearningLevels = 18;

  int width_;
  std::vector<AdaptiveBit> nodes_;  // by path below a leading one
};

}  // namespace clm
