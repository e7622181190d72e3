// LetterFlip: swaps the case of the letter that begins a sentence, so that it looks like the word in mid sentence.
//
// A letter is flipped when it is one of A-Z a-z and before it come a full stop and then white space, at least one
// character of it: U+0009-D, U+001C-20, U+0085, U+00A0, U+1680, U+2000-A, U+2028, U+2029, U+202F, U+205F and U+3000 in
// UTF-8. Nothing else changes, so length and every offset stay, and flipping twice gives the bytes back, whatever they
// are. It makes most compressors a little better: structure that can be told in a rule need not be learned.
// Source: "A Compression View of Large Language Models", 2024, examples/gzipFilp.
//
// Thread-safety: none; one object per text. Errors: none. Cost: linear, no memory.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace clm {

class LetterFlip {
 public:
  // The next bytes of the text, flipped: the same for every way to cut it.
  std::string Push(absl::string_view bytes);
  uint64_t flipped() const { return flipped_; }  // letters so far

 private:
  enum class State : uint8_t {
    kText,   // nothing that matters
    kDot,    // after a full stop
    kSpace,  // after a full stop and white space
  };

  void Step(uint8_t byte);
  bool EndsSpace(uint8_t byte) const;

  State state_ = State::kText;
  uint32_t begun_ = 0;  // the bytes so far of what may become a white space of two or three bytes
  uint64_t flipped_ = 0;
};

// All of `text`.
std::string FlipLetters(absl::string_view text);

}  // namespace clm
