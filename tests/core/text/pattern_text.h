// What the tests of pre-tokenizers share: the slow twin, and texts in which every branch of every pattern is frequent.
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8  // NOLINT: PCRE2 demands this name
#include <pcre2.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/check.h"
#include "core/base/rng.h"

namespace clm::testing {

// The slow twin: PCRE2 with the pattern itself. For valid UTF-8 without U+180E, which PCRE2's \s takes for a space.
class RegexSplitter {
 public:
  explicit RegexSplitter(absl::string_view pattern)
      : code_(Compile(pattern)), unassigned_(Compile(R"(\p{Cn})")), match_(pcre2_match_data_create(4, nullptr)) {}
  ~RegexSplitter() {
    pcre2_match_data_free(match_);
    pcre2_code_free(unassigned_);
    pcre2_code_free(code_);
  }
  RegexSplitter(const RegexSplitter&) = delete;
  RegexSplitter& operator=(const RegexSplitter&) = delete;

  std::vector<uint32_t> Ends(const std::string& text) const {
    std::vector<uint32_t> ends;
    for (size_t begin = 0; begin < text.size(); begin = ends.back()) {
      CLM_CHECK(Matches(code_, text, begin) && pcre2_get_ovector_pointer(match_)[0] == begin);
      ends.push_back(static_cast<uint32_t>(pcre2_get_ovector_pointer(match_)[1]));
    }
    return ends;
  }

  // False for what its version of Unicode, which need not be ours, does not assign.
  bool Knows(const std::string& character) const { return !Matches(unassigned_, character, 0); }

 private:
  static pcre2_code* Compile(absl::string_view pattern) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                     PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr);
    CLM_CHECK(code != nullptr);
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // where it cannot, matching is only slower
    return code;
  }
  bool Matches(const pcre2_code* code, const std::string& text, size_t begin) const {
    return pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), begin, PCRE2_NO_UTF_CHECK, match_,
                       nullptr) > 0;
  }

  pcre2_code* code_;
  pcre2_code* unassigned_;
  pcre2_match_data* match_;
};

// Between 0 and `max_units` characters and short words. Unless `valid`, one in four is not UTF-8.
inline std::string RandomPatternText(uint64_t seed, uint64_t max_units, bool valid) {
  static const std::vector<std::string> kUnits = {"a",
                                                  "b",
                                                  "s",
                                                  "t",
                                                  "re",
                                                  "ve",
                                                  "ll",
                                                  "d",
                                                  "m",
                                                  "r",
                                                  "l",
                                                  "v",
                                                  "'",
                                                  "'",
                                                  "'",
                                                  " ",
                                                  " ",
                                                  " ",
                                                  "\n",
                                                  "\n",
                                                  "\r",
                                                  "\t",
                                                  "0",
                                                  "7",
                                                  "12345",
                                                  ".",
                                                  "!",
                                                  "(",
                                                  "/",
                                                  "A",
                                                  "S",
                                                  "LL",
                                                  "Re",
                                                  "The",
                                                  "word",
                                                  "camelCase",
                                                  "HTTPServer",
                                                  "don't",
                                                  "IT'S",
                                                  "\xC5\xBF" /* U+017F */,
                                                  "\xC3\xA9",
                                                  "\xC3\x89",
                                                  "\xD0\x96",
                                                  "\xD0\xB6",
                                                  "\xCC\x81" /* mark */,
                                                  "\xC2\xA0",
                                                  "\xC2\xB2",
                                                  "\xE4\xB8\xAD",
                                                  "\xE3\x80\x82",
                                                  "\xE3\x80\x80",
                                                  "\xE2\x80\x8B",
                                                  "\xF0\x9F\x98\x80",
                                                  "\xC2\x85",
                                                  "\xE2\x85\xA0",
                                                  "\xD9\xA3",
                                                  "\xCA\xB0" /* Lm */,
                                                  "\xC7\x85" /* Lt */};
  static const std::vector<std::string> kBroken = {"\xFF", "\xC3", "\xE2\x82", "\x80", "\xF0\x9F\x98", "\xED\xA0\x80"};
  CounterRng rng(20260301, "pretokenizer_test", seed);
  // Few kinds in one text make runs and repetitions frequent.
  const uint64_t kinds = 1 + rng.NextBelow(kUnits.size());
  const uint64_t first = rng.NextBelow(kUnits.size());
  std::string text;
  const uint64_t length = rng.NextBelow(max_units + 1);
  for (uint64_t i = 0; i < length; ++i) {
    if (!valid && rng.NextBelow(4) == 0) {
      text += kBroken[rng.NextBelow(kBroken.size())];
    } else {
      text += kUnits[(first + rng.NextBelow(kinds)) % kUnits.size()];
    }
  }
  return text;
}

}  // namespace clm::testing
