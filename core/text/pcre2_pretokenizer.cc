#include "core/text/pcre2_pretokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8  // NOLINT: PCRE2 demands this name
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/text/regex_dialect.h"
#include "core/text/regex_lexer.h"
#include "core/text/utf8.h"

namespace clm {
namespace {

constexpr char kSubstitute = '\x1A';
constexpr size_t kJitStackBytes = size_t{32} << 10;
constexpr size_t kMaxJitStackBytes = size_t{8} << 20;
constexpr size_t kShownBytes = 40;

// What one thread needs to match: PCRE2 writes into it, so threads cannot share it.
class MatchSpace {
 public:
  MatchSpace()
      : data_(pcre2_match_data_create(1, nullptr)),
        whole_(MakeContext(kMatchSteps)),
        // What is settled early must be found again once the text is whole, so it may take half of the steps only.
        partial_(MakeContext(kMatchSteps / 2)),
        stack_(pcre2_jit_stack_create(kJitStackBytes, kMaxJitStackBytes, nullptr)) {
    CLM_CHECK(data_ != nullptr);
    if (stack_ == nullptr) return;  // PCRE2 was built without JIT
    pcre2_jit_stack_assign(whole_, nullptr, stack_);
    pcre2_jit_stack_assign(partial_, nullptr, stack_);
  }
  ~MatchSpace() {
    pcre2_jit_stack_free(stack_);
    pcre2_match_context_free(partial_);
    pcre2_match_context_free(whole_);
    pcre2_match_data_free(data_);
  }
  MatchSpace(const MatchSpace&) = delete;
  MatchSpace& operator=(const MatchSpace&) = delete;

  pcre2_match_data* data() { return data_; }
  pcre2_match_context* context(bool is_end) { return is_end ? whole_ : partial_; }

 private:
  static pcre2_match_context* MakeContext(uint32_t steps) {
    pcre2_match_context* context = pcre2_match_context_create(nullptr);
    CLM_CHECK(context != nullptr);
    pcre2_set_match_limit(context, steps);
    pcre2_set_depth_limit(context, steps);
    pcre2_set_heap_limit(context, kMatchHeapKib);
    return context;
  }

  pcre2_match_data* data_;
  pcre2_match_context* whole_;
  pcre2_match_context* partial_;
  pcre2_jit_stack* stack_;
};

MatchSpace& SpaceOfThisThread() {
  thread_local MatchSpace space;
  return space;
}

// `text` with a character of one byte in the place of every byte that is not valid UTF-8.
std::string Substituted(absl::string_view text, size_t valid_prefix) {
  std::string valid(text);
  for (size_t position = valid_prefix; position < text.size();) {
    const Utf8Char next = DecodeUtf8(text.substr(position));
    if (next.state == Utf8State::kValid) {
      position += next.length;
    } else {
      valid[position++] = kSubstitute;
    }
  }
  return valid;
}

size_t CharLength(absl::string_view valid_text, size_t position) {
  return DecodeUtf8(valid_text.substr(position)).length;
}

absl::Status CompileError(absl::string_view compiled, int error, size_t offset) {
  std::array<PCRE2_UCHAR, 256> message{};
  pcre2_get_error_message(error, message.data(), message.size());
  const size_t from = std::min(offset < kShownBytes ? 0 : offset - kShownBytes, compiled.size());
  return absl::InvalidArgumentError(
      absl::StrCat("split pattern: ", reinterpret_cast<const char*>(message.data()), ", at offset ", offset,
                   " of its PCRE2 form \"", absl::CHexEscape(compiled.substr(from, offset - from)), "<here>",
                   absl::CHexEscape(compiled.substr(std::min(offset, compiled.size()), kShownBytes)), "\""));
}

absl::StatusOr<pcre2_code*> Compile(absl::string_view pattern) {
  pcre2_compile_context* context = pcre2_compile_context_create(nullptr);
  CLM_CHECK(context != nullptr);
  pcre2_set_newline(context, PCRE2_NEWLINE_LF);
  pcre2_set_parens_nest_limit(context, static_cast<uint32_t>(kMaxRegexDepth) + 1);
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_NO_AUTO_CAPTURE | PCRE2_NEVER_BACKSLASH_C, &error, &offset, context);
  pcre2_compile_context_free(context);
  if (code == nullptr) return CompileError(pattern, error, offset);
  // Without JIT the same matches are found, more slowly.
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD);
  return code;
}

}  // namespace

void Pcre2Pretokenizer::CodeDeleter::operator()(pcre2_real_code_8* code) const { pcre2_code_free(code); }

absl::StatusOr<std::unique_ptr<const Pcre2Pretokenizer>> Pcre2Pretokenizer::Create(absl::string_view pattern) {
  if (pattern.empty()) return absl::InvalidArgumentError("split pattern is empty");
  CLM_ASSIGN_OR_RETURN(const std::string compiled, ToPcre2Regex(pattern));
  CLM_ASSIGN_OR_RETURN(pcre2_code * raw, Compile(compiled));
  Code code(raw);
  uint32_t lookbehind = 0;
  CLM_CHECK(pcre2_pattern_info(code.get(), PCRE2_INFO_MAXLOOKBEHIND, &lookbehind) == 0);
  return std::unique_ptr<const Pcre2Pretokenizer>(
      new Pcre2Pretokenizer(pattern, std::move(code), /*looks_behind=*/lookbehind > 0));
}

Pcre2Pretokenizer::Match Pcre2Pretokenizer::Find(absl::string_view text, size_t from, bool is_end) const {
  MatchSpace& space = SpaceOfThisThread();
  const uint32_t options = PCRE2_NO_UTF_CHECK | (is_end ? 0U : PCRE2_PARTIAL_HARD);
  const int result = pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from, options,
                                 space.data(), space.context(is_end));
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(space.data());
  if (result >= 0) return {Found::kMatch, bounds[0], bounds[1]};
  if (result == PCRE2_ERROR_NOMATCH) return {Found::kNone, 0, 0};
  if (result == PCRE2_ERROR_PARTIAL) return {Found::kUndecided, bounds[0], 0};
  return {Found::kTooCostly, 0, 0};
}

size_t Pcre2Pretokenizer::SplitUpToGap(absl::string_view text, bool is_end, std::vector<uint32_t>& ends) const {
  if (!is_end && looks_behind_) return 0;
  if (!is_end) text.remove_suffix(IncompleteUtf8Suffix(text));
  std::string substituted;
  if (const size_t valid = ValidUtf8Prefix(text); valid < text.size()) {
    substituted = Substituted(text, valid);
    text = substituted;
  }
  size_t begin = 0;  // of the piece
  size_t from = 0;   // no match begins between them
  while (from < text.size()) {
    const Match match = Find(text, from, is_end);
    if (match.found != Found::kMatch) {
      if (is_end) break;
      if (match.found == Found::kTooCostly) return 0;
      return (match.found == Found::kNone ? text.size() : match.begin) - begin;
    }
    if (match.begin > begin) ends.push_back(static_cast<uint32_t>(match.begin));
    if (match.end > match.begin) ends.push_back(static_cast<uint32_t>(match.end));
    begin = from = match.end;
    if (match.end == match.begin && from < text.size()) from += CharLength(text, from);
  }
  if (is_end && begin < text.size()) ends.push_back(static_cast<uint32_t>(text.size()));
  return is_end ? 0 : text.size() - begin;
}

}  // namespace clm
