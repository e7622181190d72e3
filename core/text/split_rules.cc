#include "core/text/split_rules.h"

#include <array>

#include "core/text/pretokenizer.h"

namespace clm {
namespace {

constexpr SplitRules kGpt2Rules;
constexpr SplitRules kCl100kRules = {.family = PatternFamily::kCl100k, .max_number_chars = 3};
constexpr SplitRules kCl100kWholeEndRules = {
    .family = PatternFamily::kCl100k, .max_number_chars = 3, .last_space_is_whole = true};
constexpr SplitRules kQwen2Rules = {.family = PatternFamily::kCl100k, .max_number_chars = 1};
constexpr SplitRules kO200kRules = {.family = PatternFamily::kO200k, .max_number_chars = 3};

struct KnownPattern {
  absl::string_view text;
  SplitRules rules;
};

// Possessive quantifiers change nothing here but the time that a backtracking matcher needs. Those with $ and {1,3}+
// are tiktoken's, followed by the same as a shared pattern (regex_dialect.h).
constexpr std::array<KnownPattern, 12> kKnownPatterns = {{
    {kGpt2Pattern, kGpt2Rules},
    {R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", kGpt2Rules},
    {R"('(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s)", kGpt2Rules},
    {R"('(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++\z|\s+(?!\S)|\s)", kGpt2Rules},
    {kCl100kPattern, kCl100kRules},
    {R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     kCl100kRules},
    {R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)",
     kCl100kRules},
    {R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)",
     kCl100kWholeEndRules},
    {R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|(?>\p{N}{1,3})| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++\z|\s*[\r\n]|\s+(?!\S)|\s)",
     kCl100kWholeEndRules},
    {kQwen2Pattern, kQwen2Rules},
    {R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     kQwen2Rules},
    {kO200kPattern, kO200kRules},
}};

}  // namespace

std::optional<SplitRules> KnownSplitRules(absl::string_view pattern) {
  for (const KnownPattern& known : kKnownPatterns) {
    if (known.text == pattern) return known.rules;
  }
  return std::nullopt;
}

}  // namespace clm
