// CandidateSelector: keeps the best of many candidates in room for twice as many as are wanted.
//
// Order: score descending, then left, then right ascending. What is kept does not depend on the order of Add(), nor on
// how candidates are spread over selectors that are merged later.
// Thread-safety: one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/coordinate/symbol_pair.h"

namespace clm {

struct PairCandidate {
  uint64_t key = 0;  // PairKey
  uint64_t count = 0;
  double score = 0;

  SymbolPair pair() const { return {static_cast<SymbolId>(key >> 32), static_cast<SymbolId>(key)}; }
};

class CandidateSelector {
 public:
  explicit CandidateSelector(size_t wanted) : wanted_(wanted) {}

  // True if nothing with a score of at most `bound` could be among the best any more.
  bool IsHopeless(double bound) const { return bound < floor_; }

  void Add(const PairCandidate& candidate);
  void Merge(const CandidateSelector& other);

  // The best, in order, no more than wanted.
  std::vector<PairCandidate> Take();

 private:
  void Cut();

  size_t wanted_;
  double floor_ = -1;  // the wanted-th best so far scores this
  std::vector<PairCandidate> candidates_;
};

}  // namespace clm
