// Pretokenizer: cuts a document into pieces that a byte-level BPE never merges across.
//
// The pieces cover every byte of the document exactly once, in order. Any bytes are welcome: bytes that are not valid
// UTF-8 count as characters that are neither letter nor number nor space.
//
// Streaming: a piece is settled when no continuation of the text can move its end. Split() reports settled pieces only,
// so a caller that keeps the rest and asks again with more text gets the pieces of the whole document however it was
// cut. The text held back is not bounded: a run of letters is one piece. A caller that asks again only once the text it
// holds has doubled spends linear time on such pieces.
//
// Thread-safety: immutable; shared by threads. Cost of Split: linear, no recursion, nothing allocated but `ends`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace clm {

// GPT-2 (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019).
inline constexpr absl::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
// OpenAI's cl100k_base; Llama 3 (Grattafiori et al., arXiv 2407.21783) has the same.
inline constexpr absl::string_view kCl100kPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// Qwen 2 (arXiv 2407.10671): every digit is a piece.
inline constexpr absl::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// OpenAI's o200k_base.
inline constexpr absl::string_view kO200kPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
// No pattern: a document is one piece.
inline constexpr absl::string_view kWholeDocumentPattern = "";

class Pretokenizer {
 public:
  virtual ~Pretokenizer() = default;

  // The regular expression whose matches the pieces are, as files name it.
  virtual absl::string_view pattern() const = 0;

  // Appends to `ends` the end (offset in `text`, one past the last byte) of each piece of `text`, in order; of all
  // pieces when `is_end` says that the document ends with `text`, of the settled ones otherwise. Requires that a piece
  // begins with `text`, and text.size() < 2^32.
  virtual void Split(absl::string_view text, bool is_end, std::vector<uint32_t>& ends) const = 0;
};

// The pretokenizer of a pattern: hand-written for the patterns above in every spelling in use, recognised by their
// text; for any other a pretokenizer_chain.h if it has several steps, else a pcre2_pretokenizer.h, with their errors.
absl::StatusOr<std::unique_ptr<const Pretokenizer>> MakePretokenizer(absl::string_view pattern);

}  // namespace clm
