// rANS: range asymmetric numeral system with a 64-bit state and 32-bit words.
//
//   payload   state u64 | word u32 ...        little-endian; words in the order the decoder takes them
//
// The state stays in [2^31, 2^63). A decoder that took the right symbols ends with the state the encoder began with,
// 2^31, and has used every word: at the end of a payload that is a free check of 31 bits (RansDecoder::Finished).
// Cost: information content plus at most 8 bytes and about 10^-9 relative.
//
// Source: J. Duda, "Asymmetric numeral systems", arXiv 1311.2540; word-wise renormalisation as in F. Giesen,
// "Interleaved entropy coders", arXiv 1402.3392.
//
// Thread-safety: none; one object per payload. Ownership: the encoder owns its intervals, the decoder points into the
// payload. Errors: a payload from outside can fail only where the functions say so; intervals must be valid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/byte_reader.h"
#include "core/base/byte_writer.h"
#include "core/entropy/cdf.h"

namespace clm {

inline constexpr uint64_t kRansInitialState = uint64_t{1} << 31;
inline constexpr uint64_t kRansStateEnd = uint64_t{1} << 63;
inline constexpr size_t kRansStateBytes = 8;

// Puts one symbol on `state`; returns true when `word` must be emitted first (in reverse order of decoding).
// Requires a valid interval and P = precision_bits <= kMaxPrecisionBits.
inline bool RansPut(SymbolInterval interval, int precision_bits, uint64_t& state, uint32_t& word) {
  const uint64_t limit = ((kRansInitialState >> precision_bits) << 32) * interval.frequency;
  const bool emit = state >= limit;
  if (emit) {
    word = static_cast<uint32_t>(state);
    state >>= 32;
  }
  state = ((state / interval.frequency) << precision_bits) + state % interval.frequency + interval.start;
  return emit;
}

// Collects the intervals of a block and codes them last to first. Memory: 8 bytes per symbol.
class RansEncoder {
 public:
  explicit RansEncoder(int precision_bits) : precision_bits_(precision_bits) {}

  void Reserve(size_t symbols) { intervals_.reserve(symbols); }
  void Add(SymbolInterval interval) { intervals_.push_back(interval); }

  // The payload of everything added; the encoder is empty afterwards.
  std::string Finish() {
    uint64_t state = kRansInitialState;
    std::vector<uint32_t> words;
    for (size_t i = intervals_.size(); i-- > 0;) {
      uint32_t word = 0;
      if (RansPut(intervals_[i], precision_bits_, state, word)) words.push_back(word);
    }
    intervals_.clear();
    ByteWriter out;
    out.WriteU64(state);
    for (size_t i = words.size(); i-- > 0;) out.WriteU32(words[i]);
    return out.Take();
  }

 private:
  const int precision_bits_;
  std::vector<SymbolInterval> intervals_;
};

class RansDecoder {
 public:
  // Requires P <= kMaxPrecisionBits.
  RansDecoder(absl::string_view payload, int precision_bits)
      : in_(payload), precision_bits_(precision_bits), mask_((uint32_t{1} << precision_bits) - 1) {}

  // Takes the state from the payload; false when it is too short or no encoder can have written this state.
  [[nodiscard]] bool Start() { return in_.ReadU64(state_) && state_ >= kRansInitialState && state_ < kRansStateEnd; }

  // In [0, 2^P): the next symbol is the one whose interval holds it.
  uint32_t Slot() const { return static_cast<uint32_t>(state_) & mask_; }

  // Removes that symbol. false when the words are used up. Requires that `interval` holds Slot().
  [[nodiscard]] bool Take(SymbolInterval interval) {
    state_ = interval.frequency * (state_ >> precision_bits_) + Slot() - interval.start;
    if (state_ >= kRansInitialState) return true;
    uint32_t word = 0;
    if (!in_.ReadU32(word)) return false;
    // One word is always enough: state >= 2^(31 - P) >= 2^7 here.
    state_ = (state_ << 32) | word;
    return true;
  }

  // Whether the state is back at its start and every word has been used. Call after the last symbol.
  bool Finished() const { return state_ == kRansInitialState && in_.empty(); }
  // Whole words that have not been used.
  size_t words_left() const { return in_.remaining() / 4; }

 private:
  ByteReader in_;
  const int precision_bits_;
  const uint32_t mask_;
  uint64_t state_ = 0;
};

}  // namespace clm
