// What a pre-tokenizer makes of a text: its ends, its pieces, at once and in steps.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/text/pretokenizer.h"
#include "tests/core/text/pattern_text.h"

namespace clm::testing {

inline std::vector<uint32_t> EndsOf(const Pretokenizer& pretokenizer, absl::string_view text) {
  std::vector<uint32_t> ends;
  pretokenizer.Split(text, /*is_end=*/true, ends);
  return ends;
}

// The ends for a caller that gets `step` more bytes at a time and keeps what is not settled.
inline std::vector<uint32_t> EndsInSteps(const Pretokenizer& pretokenizer, absl::string_view text, size_t step) {
  std::vector<uint32_t> all;
  size_t begin = 0;
  for (size_t size = 0; size < text.size();) {
    size = std::min(size + step, text.size());
    std::vector<uint32_t> ends;
    pretokenizer.Split(text.substr(begin, size - begin), size == text.size(), ends);
    for (const uint32_t end : ends) all.push_back(static_cast<uint32_t>(begin) + end);
    if (!ends.empty()) begin += ends.back();
  }
  return all;
}

inline std::vector<std::string> PiecesOf(const Pretokenizer& pretokenizer, absl::string_view text) {
  std::vector<std::string> pieces;
  size_t begin = 0;
  for (const uint32_t end : EndsOf(pretokenizer, text)) {
    pieces.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  return pieces;
}

inline std::string MixedText(uint64_t seed, bool valid) { return RandomPatternText(seed, 24, valid); }

}  // namespace clm::testing
