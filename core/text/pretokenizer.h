// Pretokenizer: cuts a document into pieces that a byte-level BPE never merges across.
//
// The pieces cover every byte of the document exactly once, in order. Any bytes are welcome: bytes that are not valid
// UTF-8 count as characters that are neither letter nor number nor space.
//
// Streaming: a piece is settled when no continuation of the text can move its end. Split() reports settled pieces only,
// so a caller that keeps the rest and asks again gets the pieces of the whole document however it was cut. The text
// held back is not bounded: a run of letters is one piece.
//
// Thread-safety: immutable; shared by threads. Cost of Split: linear in the bytes it has not seen, no recursion,
// nothing allocated but `ends`.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace clm {

// The pattern of GPT-2 (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019).
inline constexpr absl::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
// No pattern: a document is one piece.
inline constexpr absl::string_view kWholeDocumentPattern = "";

class Pretokenizer {
 public:
  virtual ~Pretokenizer() = default;

  // The regular expression whose matches the pieces are, as files name it.
  virtual absl::string_view pattern() const = 0;

  // Appends to `ends` the end (offset in `text`, one past the last byte) of each piece of `text`, in order; of all
  // pieces when `is_end` says that the document ends with `text`, of the settled ones otherwise.
  //
  // Returns how many bytes after the last end need not be read again (0 at the end of a document). A caller that comes
  // back with the piece that begins there and more text behind it passes the number as `open`; 0 is always right.
  virtual size_t Split(absl::string_view text, bool is_end, size_t open, std::vector<size_t>& ends) const = 0;
};

// The pretokenizer of a pattern, recognised by its text: kGpt2Pattern or kWholeDocumentPattern. INVALID_ARGUMENT,
// naming the pattern, for any other.
absl::StatusOr<std::unique_ptr<const Pretokenizer>> MakePretokenizer(absl::string_view pattern);

}  // namespace clm
