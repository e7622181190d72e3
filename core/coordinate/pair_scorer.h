// PairScorer: what makes one pair a better coordinate than another. One class for each strategy that scores pairs.
//
// Scores are doubles computed by one fixed formula from exact counts below 2^53; another platform's logarithm could
// break a near-tie differently. Thread-safety: immutable.
#pragma once

#include <cstdint>

#include "core/coordinate/universe_options.h"

namespace clm {

// How often a pair and its parts occur in a stream of `total` symbols.
struct PairEvidence {
  uint64_t count = 0;
  uint64_t left = 0;
  uint64_t right = 0;
  double total = 0;
};

class PairScorer {
 public:
  virtual ~PairScorer() = default;
  // Above 0 for what IsCandidate() accepts.
  virtual double Score(const PairEvidence& evidence) const = 0;
  // False for a pair that must not be learned however few others there are.
  virtual bool IsCandidate(const PairEvidence& /*evidence*/) const { return true; }
  // No pair that occurs `count` times has a higher score.
  virtual double Bound(uint64_t count, double total) const = 0;
};

// Requires a strategy that scores pairs: not kAuto, which chooses among them.
const PairScorer& ScorerOf(PairStrategy strategy);

}  // namespace clm
