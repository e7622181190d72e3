#include "core/text/pretokenizer_chain.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/text/pcre2_pretokenizer.h"

namespace clm {
namespace {

// Two steps, of which the second may again be two.
class PairPretokenizer final : public Pretokenizer {
 public:
  PairPretokenizer(std::unique_ptr<const Pcre2Pretokenizer> first, std::unique_ptr<const Pretokenizer> second)
      : first_(std::move(first)),
        second_(std::move(second)),
        pattern_(absl::StrCat(first_->pattern(), std::string(1, kSplitStepSeparator), second_->pattern())) {}

  absl::string_view pattern() const override { return pattern_; }

  void Split(absl::string_view text, bool is_end, std::vector<uint32_t>& ends) const override {
    std::vector<uint32_t> first_ends;
    const size_t gap = first_->SplitUpToGap(text, is_end, first_ends);
    size_t begin = 0;
    for (const uint32_t end : first_ends) {
      SplitPiece(text, begin, end - begin, /*is_end=*/true, ends);
      begin = end;
    }
    // Text between matches of the first step may be long: what the second step settles in it is settled.
    if (gap > 0) SplitPiece(text, begin, gap, /*is_end=*/false, ends);
  }

 private:
  void SplitPiece(absl::string_view text, size_t begin, size_t length, bool is_end, std::vector<uint32_t>& ends) const {
    const size_t before = ends.size();
    second_->Split(text.substr(begin, length), is_end, ends);
    for (size_t i = before; i < ends.size(); ++i) ends[i] += static_cast<uint32_t>(begin);
  }

  std::unique_ptr<const Pcre2Pretokenizer> first_;
  std::unique_ptr<const Pretokenizer> second_;
  std::string pattern_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<const Pretokenizer>> MakePretokenizerChain(absl::string_view pattern) {
  const std::vector<absl::string_view> steps = absl::StrSplit(pattern, kSplitStepSeparator);
  if (steps.size() > kMaxSplitSteps) {
    return absl::ResourceExhaustedError(
        absl::StrCat("split pattern has ", steps.size(), " steps; limit ", kMaxSplitSteps));
  }
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].empty()) return absl::InvalidArgumentError(absl::StrCat("step ", i, " of the split pattern is empty"));
  }
  CLM_ASSIGN_OR_RETURN(std::unique_ptr<const Pretokenizer> chain, MakePretokenizer(steps.back()));
  for (size_t i = steps.size() - 1; i > 0; --i) {
    CLM_ASSIGN_OR_RETURN(std::unique_ptr<const Pcre2Pretokenizer> first, Pcre2Pretokenizer::Create(steps[i - 1]));
    chain = std::make_unique<const PairPretokenizer>(std::move(first), std::move(chain));
  }
  return chain;
}

}  // namespace clm
