#include "core/predict/adaptive/context_tracker.h"

#include <algorithm>

namespace clm {
namespace {

constexpr uint64_t kFactorA = 0x9E3779B97F4A7C15;
constexpr uint64_t kFactorB = 0xD6E8FEB86659FD93;
constexpr uint64_t kFactorC = 0xBF58476D1CE4E5B9;
constexpr uint32_t kWordFactor = 0x2F0B4C47;
constexpr uint64_t kMaxColumn = 255;
constexpr uint32_t kMaxMatchClass = 15;

// Of two values and the number of the context, so that equal values in two contexts differ.
inline uint64_t HashOf(uint64_t a, uint64_t b, uint64_t context) {
  uint64_t hash = (a + 1) * kFactorA ^ (b * 32 + context + 1) * kFactorB;
  hash ^= hash >> 29;
  return hash * kFactorC;
}

inline bool IsLetter(uint8_t lower) { return (lower >= 'a' && lower <= 'z') || lower >= 0x80; }

constexpr uint8_t ClassOf(int byte) {
  if (byte >= 0x80) return 7;
  if (byte >= 'a' && byte <= 'z') return 1;
  if (byte >= 'A' && byte <= 'Z') return 2;
  if (byte >= '0' && byte <= '9') return 3;
  if (byte == ' ') return 4;
  if (byte == '\n' || byte == '\r') return 5;
  if (byte == '.' || byte == ',' || byte == ';' || byte == '!' || byte == '?') return 6;
  return 0;
}

constexpr std::array<uint8_t, 256> MakeClasses() {
  std::array<uint8_t, 256> classes{};
  for (int byte = 0; byte < 256; ++byte) classes[static_cast<size_t>(byte)] = ClassOf(byte);
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = MakeClasses();

inline bool SeparatesFields(uint8_t byte) {
  return byte == ' ' || byte == '"' || byte == ',' || byte == '\n' || byte == '\t';
}

}  // namespace

void ContextTracker::Reset() {
  recent_ = 0;
  word_ = 0;
  previous_word_ = 0;
  shape_ = 0;
  field_ = 0;
  line_begin_ = 0;
  last_line_begin_ = 0;
  column_ = 0;
  above_ = 0;
  std::fill(followers_.begin(), followers_.end(), uint16_t{0});
}

void ContextTracker::Push(uint8_t byte, const ByteHistory& history) {
  uint16_t& followers = followers_[recent_ & 0xffff];
  followers = static_cast<uint16_t>(followers << 8 | byte);
  recent_ = recent_ << 8 | byte;

  const auto lower = byte >= 'A' && byte <= 'Z' ? static_cast<uint8_t>(byte + 32) : byte;
  if (IsLetter(lower)) {
    word_ = (word_ + lower + 1) * kWordFactor;
  } else if (word_ != 0) {
    previous_word_ = word_;
    word_ = 0;
  }
  shape_ = shape_ << 3 | kClasses[byte];
  if (SeparatesFields(byte)) ++field_;
  if (byte == '\n') {
    last_line_begin_ = line_begin_;
    line_begin_ = history.end();
    field_ = 0;
  }
  const uint64_t column = history.end() - line_begin_;
  column_ = static_cast<uint32_t>(std::min<uint64_t>(column, kMaxColumn));
  const uint64_t place_above = last_line_begin_ + column;
  above_ = place_above < line_begin_ ? history.At(place_above) : uint8_t{0};
}

void ContextTracker::Hashes(std::array<uint64_t, kContexts>& out) const {
  const uint64_t last = last_byte();
  for (size_t order = 0; order < kOrders; ++order) {
    out[order] = HashOf(recent_ & ((uint64_t{1} << (8 * (order + 2))) - 1), 0, order);
  }
  out[5] = HashOf(word_, last, 5);
  out[6] = HashOf(word_, previous_word_, 6);
  out[7] = HashOf(column_, above_, 7);
  out[8] = HashOf(above_ | uint64_t{field_} << 8, last, 8);
  out[9] = HashOf(word_, (shape_ & 0xfff) << 8 | last, 9);
  out[10] = HashOf(followers_[recent_ & 0xffff], last, 10);
}

uint64_t ContextTracker::MatchHash(uint8_t expected, uint32_t length) const {
  const uint64_t match = length == 0 ? 0 : expected | std::min(length, kMaxMatchClass) << 8;
  return HashOf(match, last_byte(), kMatchContext);
}

}  // namespace clm
