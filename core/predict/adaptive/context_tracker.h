// ContextTracker: what of the bytes so far each context of the adaptive model looks at, as hashes.
//
//   0 - 4   the last 2, 3, 4, 5, 6 bytes
//   5       the word so far (letters of any case, bytes from 0x80 on) and the last byte
//   6       the word so far and the word before it
//   7       the column and the byte above it: records of equal length, tables
//   8       the byte above, the field of the line and the last byte: logs, CSV, XML attributes
//   9       the word so far, the last byte and the classes of the last four: where sentences and quotations begin
//   10      what followed the last two bytes the last time(s), and the last byte
//   11      what the match expects and how long it is, and the last byte
//
// A word is hashed in lower case. Nothing here is learnt from other data: all of it comes from the block itself.
//
// Thread-safety: none. Memory: 128 KiB.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/predict/adaptive/byte_history.h"

namespace clm {

class ContextTracker {
 public:
  static constexpr size_t kContexts = 12;
  // Contexts below this are orders; context k looks at k + 2 bytes.
  static constexpr size_t kOrders = 5;
  static constexpr size_t kMatchContext = 11;

  ContextTracker() : followers_(65536) {}

  void Reset();
  // `byte` has just been pushed to the history.
  void Push(uint8_t byte, const ByteHistory& history);

  // The hash of every context but kMatchContext, which is left as it was: it is known later than the others.
  void Hashes(std::array<uint64_t, kContexts>& out) const;
  // `length`: of the match, 0 without one.
  uint64_t MatchHash(uint8_t expected, uint32_t length) const;

  // The last eight bytes, the latest lowest.
  uint64_t recent() const { return recent_; }
  uint8_t last_byte() const { return static_cast<uint8_t>(recent_); }
  // Classes of the last bytes, three bits each, the latest lowest.
  uint32_t shape() const { return shape_; }

 private:
  uint64_t recent_ = 0;
  uint32_t word_ = 0;           // hash of the word so far; 0 between words
  uint32_t previous_word_ = 0;  // of the last finished one
  uint32_t shape_ = 0;
  uint32_t field_ = 0;       // separators in this line so far
  uint64_t line_begin_ = 0;  // positions
  uint64_t last_line_begin_ = 0;
  uint32_t column_ = 0;              // of the next byte, at most 255
  uint8_t above_ = 0;                // the byte above the next one
  std::vector<uint16_t> followers_;  // the last two bytes that came after two bytes, by these
};

}  // namespace clm
