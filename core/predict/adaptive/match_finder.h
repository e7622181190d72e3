// MatchFinder: the latest place where the last bytes stood before, and what came after them there.
//
// A hash of the last min_length bytes (at most eight) leads to a candidate, which counts only when min_length bytes are
// really equal. A match lives as long as it predicts right; with a wrong bit it ends at once, and a new one is looked
// for after the byte.
//
// Thread-safety: none. Memory: 4 * 2^heads_log2 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/huge_pages.h"
#include "core/predict/adaptive/byte_history.h"

namespace clm {

class MatchFinder {
 public:
  // Requires 1 <= min_length <= 16 and 8 <= heads_log2 <= 24.
  MatchFinder(uint32_t min_length, int heads_log2);

  void Reset();
  // Looks at the byte just pushed to the history: the match moves on or ends. `recent`: the last eight bytes, the
  // latest lowest. Starts to bring the candidate to the cache.
  void Advance(const ByteHistory& history, uint64_t recent);
  // Looks for a match where there is none, and remembers this place. Once after each Advance().
  void Find(const ByteHistory& history);
  // Ends the match: a bit of the expected byte was wrong.
  void Break() { length_ = 0; }

  // Bytes that agree before this place, up to 65535; 0 without a match.
  uint32_t length() const { return length_; }
  // The byte that should come next. Meaningless without a match.
  uint8_t expected() const { return expected_; }

 private:
  static constexpr uint32_t kMaxLength = 65535;
  static constexpr uint32_t kMaxCompared = 400;  // a match that is found is not compared further back
  static constexpr int kCheckBits = 8;

  uint32_t min_length_;
  int heads_log2_;
  // 24 bits of the position after the bytes, 8 further bits of their hash. 0: none.
  std::vector<uint32_t, HugePageAllocator<uint32_t>> heads_;
  uint64_t hash_ = 0;
  uint64_t position_ = 0;  // of the expected byte
  uint32_t length_ = 0;
  uint8_t expected_ = 0;
};

}  // namespace clm
