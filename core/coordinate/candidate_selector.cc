#include "core/coordinate/candidate_selector.h"

#include <algorithm>
#include <utility>

namespace clm {
namespace {

bool IsBetter(const PairCandidate& a, const PairCandidate& b) {
  return a.score != b.score ? a.score > b.score : a.key < b.key;
}

}  // namespace

void CandidateSelector::Add(const PairCandidate& candidate) {
  if (wanted_ == 0 || candidate.score < floor_) return;
  candidates_.push_back(candidate);
  if (candidates_.size() >= 2 * wanted_) Cut();
}

void CandidateSelector::Merge(const CandidateSelector& other) {
  for (const PairCandidate& candidate : other.candidates_) Add(candidate);
}

void CandidateSelector::Cut() {
  if (candidates_.size() <= wanted_) return;
  const auto last = candidates_.begin() + static_cast<ptrdiff_t>(wanted_) - 1;
  std::nth_element(candidates_.begin(), last, candidates_.end(), IsBetter);
  floor_ = last->score;
  candidates_.resize(wanted_);
}

std::vector<PairCandidate> CandidateSelector::Take() {
  Cut();
  std::sort(candidates_.begin(), candidates_.end(), IsBetter);
  return std::exchange(candidates_, {});
}

}  // namespace clm
