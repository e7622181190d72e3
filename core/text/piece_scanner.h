// PieceScanner: the pieces of known SplitRules, one character after the other.
//
// The plain form of what window_splitter.h does for many bytes at once, and what that falls back on for long pieces and
// rare characters. A value type over one text. Thread-safety: immutable. Cost of Next(): linear in the piece.
#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"
#include "core/text/char_class.h"
#include "core/text/split_rules.h"

namespace clm {

class PieceScanner {
 public:
  // `is_end` says that the document ends with `text`.
  PieceScanner(const SplitRules& rules, absl::string_view text, bool is_end)
      : rules_(rules), text_(text), is_end_(is_end) {}

  // End of the piece that begins at `begin` < text.size(); 0 when the text behind `text` could move it.
  size_t Next(size_t begin) const;

 private:
  struct Char {
    CharClass char_class = CharClass::kOther;
    size_t length = 0;  // 0: the text ends here, or within a character that more text may complete
  };

  Char At(size_t position) const;
  // The first position from `position` on whose character is not `accepted`; `accepted` takes a class.
  template <typename Accepted>
  size_t EndOfRun(size_t position, Accepted accepted) const;
  size_t EndOfBytes(size_t position, absl::string_view accepted) const;
  // Each returns the end of what its rule matches at `position`, or `position` when it matches nothing there.
  size_t Contraction(size_t position) const;
  size_t SpacedRun(size_t begin) const;
  size_t Letters(size_t begin) const;
  size_t Word(size_t begin) const;
  size_t WordWithLower(size_t position) const;
  size_t WordWithUpper(size_t position) const;
  size_t Numbers(size_t begin) const;
  size_t Symbols(size_t begin) const;
  size_t Space(size_t begin) const;
  size_t PieceEnd(size_t begin) const;

  SplitRules rules_;
  absl::string_view text_;
  bool is_end_;
  const CharClasses& classes_ = CharClasses::Get();
};

}  // namespace clm
