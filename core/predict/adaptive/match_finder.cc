#include "core/predict/adaptive/match_finder.h"

#include <algorithm>

namespace clm {
namespace {

constexpr uint64_t kHashFactor = 0x9E3779B97F4A7C15;
constexpr int kPositionBits = 24;
constexpr uint32_t kPositionMask = (uint32_t{1} << kPositionBits) - 1;

}  // namespace

MatchFinder::MatchFinder(uint32_t min_length, int heads_log2)
    : min_length_(min_length), heads_log2_(heads_log2), heads_(size_t{1} << heads_log2) {}

void MatchFinder::Reset() {
  std::fill(heads_.begin(), heads_.end(), 0U);
  hash_ = 0;
  position_ = 0;
  length_ = 0;
  expected_ = 0;
}

void MatchFinder::Advance(const ByteHistory& history, uint64_t recent) {
  if (length_ > 0 && history.At(position_) == history.At(history.end() - 1)) {
    ++position_;
    length_ = std::min(length_ + 1, kMaxLength);
  } else {
    length_ = 0;
  }
  const uint64_t key = min_length_ >= 8 ? recent : recent & ((uint64_t{1} << (8 * min_length_)) - 1);
  hash_ = key * kHashFactor;
  __builtin_prefetch(&heads_[hash_ >> (64 - heads_log2_)]);
}

void MatchFinder::Find(const ByteHistory& history) {
  const uint64_t end = history.end();
  if (end < min_length_) return;
  uint32_t& head = heads_[hash_ >> (64 - heads_log2_)];
  const auto check = static_cast<uint32_t>(hash_ >> 20) & ((1U << kCheckBits) - 1);
  // How far back, if the candidate is in reach at all.
  const uint32_t distance = (static_cast<uint32_t>(end) - (head >> kCheckBits)) & kPositionMask;
  if (length_ == 0 && head != 0 && (head & ((1U << kCheckBits) - 1)) == check && distance > 0 && distance < end &&
      distance + kMaxCompared < history.size()) {
    const uint64_t candidate = end - distance;
    uint32_t length = 0;
    while (length < kMaxCompared && length < candidate &&
           history.At(candidate - 1 - length) == history.At(end - 1 - length)) {
      ++length;
    }
    if (length >= min_length_) {
      length_ = length;
      position_ = candidate;
    }
  }
  head = (static_cast<uint32_t>(end) & kPositionMask) << kCheckBits | check;
  if (length_ > 0) expected_ = history.At(position_);
}

}  // namespace clm
