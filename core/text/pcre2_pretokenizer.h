// Pcre2Pretokenizer: the pieces of any split pattern, found by PCRE2.
//
// A piece is a match of the pattern, or the text between two matches (as `Split` with `Isolated` in Hugging Face
// `tokenizers`; tiktoken would drop the text between, which is never done here). A match of no bytes only ends the
// piece before it. Bytes that are not valid UTF-8 count as U+001A (SUBSTITUTE), one each: neither letter nor number nor
// space.
//
// Settling: a match that looked at the end of the text is not settled, nor is the text before a place where a match may
// begin. Patterns that look behind (`(?<=`, `(?<!`, `\A`) settle nothing before the document ends.
//
// Limits: the pattern as in regex_lexer.h; a single match may take kMatchSteps steps and kMatchHeapKib of memory. Where
// it would take more, the rest of the document is one piece: nothing is lost, but the ids are not those of a program
// with other limits. Cost: that of the pattern; linear for patterns that decide where they stand, up to quadratic for
// those that read far ahead at every place before they fail.
//
// Determinism: characters have the properties of the Unicode version that PCRE2 knows; case is folded one character at
// a time. Thread-safety: immutable; each thread keeps a workspace (32 KiB, growing up to the limit).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/text/pretokenizer.h"

struct pcre2_real_code_8;

namespace clm {

inline constexpr uint32_t kMatchSteps = 10'000'000;
inline constexpr uint32_t kMatchHeapKib = 65'536;

class Pcre2Pretokenizer final : public Pretokenizer {
 public:
  // `pattern`: a shared pattern (regex_dialect.h). INVALID_ARGUMENT naming what is wrong and where; RESOURCE_EXHAUSTED
  // over a limit.
  static absl::StatusOr<std::unique_ptr<const Pcre2Pretokenizer>> Create(absl::string_view pattern);

  absl::string_view pattern() const override { return pattern_; }
  void Split(absl::string_view text, bool is_end, std::vector<uint32_t>& ends) const override {
    SplitUpToGap(text, is_end, ends);
  }

  // Split, and how many bytes behind the last end lie between two matches for certain, whatever text comes: a piece may
  // be said to begin at any of them, and the matches behind them stay the same. 0 at the end of a document.
  size_t SplitUpToGap(absl::string_view text, bool is_end, std::vector<uint32_t>& ends) const;

 private:
  enum class Found : uint8_t { kMatch, kNone, kUndecided, kTooCostly };
  struct Match {
    Found found = Found::kNone;
    size_t begin = 0;  // for kMatch and kUndecided
    size_t end = 0;    // for kMatch
  };
  struct CodeDeleter {
    void operator()(pcre2_real_code_8* code) const;
  };
  using Code = std::unique_ptr<pcre2_real_code_8, CodeDeleter>;

  Pcre2Pretokenizer(absl::string_view pattern, Code code, bool looks_behind)
      : pattern_(pattern), code_(std::move(code)), looks_behind_(looks_behind) {}

  // The first match that begins at or after `from` in valid UTF-8.
  Match Find(absl::string_view text, size_t from, bool is_end) const;

  std::string pattern_;
  Code code_;
  bool looks_behind_;
};

}  // namespace clm
