// Where the pieces of known SplitRules end, for a window of text at once.
//
// Every byte of the window gets a bit in one mask per class (letters, numbers, spaces, ...), 64 bytes at a time; the
// rules become shifts, additions and logic over these masks. Gives what PieceScanner gives, many times faster. Uses the
// best instruction set of the machine (Highway).
//
// Thread-safety: a function of its arguments. Memory: 14 KiB of stack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/text/split_rules.h"

namespace clm {

inline constexpr size_t kSplitWindowBytes = 8192;

struct WindowSplit {
  // The last end that was found; `begin` when there is none.
  size_t end = 0;
  // PieceScanner has to go on from `end` to here at least: the piece there is too long for a window, or the window
  // holds characters that only it knows. Not above `end` when the next window may follow.
  size_t scan_until = 0;
};

// Appends to `ends` the ends of the pieces of `text` from `begin` on that lie within kSplitWindowBytes of it and that
// no text behind `text` can move (all of them when `is_end`, which says that the document ends with `text`). Requires
// that a piece begins at `begin` < text.size() < 2^32.
WindowSplit SplitWindow(const SplitRules& rules, absl::string_view text, size_t begin, bool is_end,
                        std::vector<uint32_t>& ends);

}  // namespace clm
