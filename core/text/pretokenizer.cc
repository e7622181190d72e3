#include "core/text/pretokenizer.h"

#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "core/text/pcre2_pretokenizer.h"
#include "core/text/piece_scanner.h"
#include "core/text/pretokenizer_chain.h"
#include "core/text/split_rules.h"
#include "core/text/window_splitter.h"

namespace clm {
namespace {

class KnownPretokenizer final : public Pretokenizer {
 public:
  KnownPretokenizer(absl::string_view pattern, const SplitRules& rules) : pattern_(pattern), rules_(rules) {}

  absl::string_view pattern() const override { return pattern_; }

  void Split(absl::string_view text, bool is_end, std::vector<uint32_t>& ends) const override {
    const PieceScanner scanner(rules_, text, is_end);
    for (size_t begin = 0; begin < text.size();) {
      const WindowSplit window = SplitWindow(rules_, text, begin, is_end, ends);
      begin = window.end;
      while (begin < window.scan_until) {
        const size_t end = scanner.Next(begin);
        if (end == 0) return;
        ends.push_back(static_cast<uint32_t>(end));
        begin = end;
      }
    }
  }

 private:
  std::string pattern_;
  SplitRules rules_;
};

class WholeDocumentPretokenizer final : public Pretokenizer {
 public:
  absl::string_view pattern() const override { return kWholeDocumentPattern; }

  void Split(absl::string_view text, bool is_end, std::vector<uint32_t>& ends) const override {
    if (is_end && !text.empty()) ends.push_back(static_cast<uint32_t>(text.size()));
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<const Pretokenizer>> MakePretokenizer(absl::string_view pattern) {
  if (pattern == kWholeDocumentPattern) return std::make_unique<const WholeDocumentPretokenizer>();
  const std::optional<SplitRules> rules = KnownSplitRules(pattern);
  if (rules.has_value()) return std::make_unique<const KnownPretokenizer>(pattern, *rules);
  if (absl::StrContains(pattern, kSplitStepSeparator)) return MakePretokenizerChain(pattern);
  return Pcre2Pretokenizer::Create(pattern);
}

}  // namespace clm
